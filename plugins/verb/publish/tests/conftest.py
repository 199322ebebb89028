"""A home with a model in it, and places to publish to: a hub of the tests' own, a store, a folder."""

from pathlib import Path

import pytest

from tunesmith_cli.api import main
from tunesmith_sdk.testing.hub_fixtures import alone, module_at
from tunesmith_sdk.testing.hub_models import model_files

LOADERS = Path(__file__).parents[3] / "model_loader"
FILES = {name: data for name, data in model_files(300_000).items() if name not in ("pytorch_model.bin", "README.md")}


@pytest.fixture(scope="session")
def made_home(tmp_path_factory):
    """Where `tunesmith download` has brought a small model from a folder."""
    root = tmp_path_factory.mktemp("publish")
    folder = root / "small"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    assert main(["download", f"file://{folder}", "--home", str(root / "home"), "--json"]) == 0
    return root / "home"


@pytest.fixture
def home(made_home, tmp_path, monkeypatch):
    alone(monkeypatch, tmp_path)
    monkeypatch.setenv("TUNESMITH_HOME", str(made_home))
    return made_home


@pytest.fixture
def publish(home, capsys):
    """``publish(target, ...)``: (exit status, what was printed)."""

    def run(target: str, *options: str) -> tuple[int, str]:
        capsys.readouterr()
        status = main(["publish", "model", target, *options])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


@pytest.fixture
def hub(home, monkeypatch):
    with module_at(LOADERS / "huggingface/tests/hub_server.py").HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", server.token)
        yield server


@pytest.fixture
def scope(home, monkeypatch):
    """ModelScope."""
    with module_at(LOADERS / "modelscope/tests/modelscope_server.py").ModelScopeServer() as server:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", server.url)
        monkeypatch.setenv("MODELSCOPE_API_TOKEN", server.token)
        monkeypatch.setenv("MODELSCOPE_CACHE", str(home / "modelscope"))
        yield server


@pytest.fixture
def registry(home, monkeypatch):
    """A container registry; `place` is its name."""
    with module_at(LOADERS / "oci/tests/oci_server.py").OCIServer() as server:
        server.place = server.url.removeprefix("http://")
        monkeypatch.setenv("TUNESMITH_OCI_TOKEN", server.token)
        yield server


@pytest.fixture
def store(home, tmp_path):
    """A folder in place of every kind of store."""
    local_store = module_at(LOADERS / "storage/tests/local_store.py")
    (tmp_path / "store/bucket").mkdir(parents=True)
    made = local_store.LocalStore(tmp_path / "store")
    with local_store.standing_in(made):
        yield made
