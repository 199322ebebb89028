"""A hub of the tests' own, small models on it, and an environment in which nothing else can be reached."""

from pathlib import Path

import pytest

from tunesmith_sdk.testing import hub_models
from tunesmith_sdk.testing.hub_fixtures import alone, module_at

hub_server = module_at(Path(__file__).with_name("hub_server.py"))


@pytest.fixture(name="model_files")
def _model_files():
    return hub_models.model_files


@pytest.fixture(name="safetensors")
def _safetensors():
    return hub_models.safetensors


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The hub server; ``org/small`` is on it with 3 MB of weights."""
    alone(monkeypatch, tmp_path)
    with hub_server.HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.add("org/small", hub_models.model_files())
        yield server


@pytest.fixture
def step(hub, local_step):
    return local_step()


@pytest.fixture
def loader(hub):
    """``loader(**settings)``: parts of 1 MiB, quick retries."""
    from tunesmith_huggingface.loader import HuggingFaceLoader
    from tunesmith_huggingface.settings import HuggingFaceSettings

    def make(**settings):
        return HuggingFaceLoader(HuggingFaceSettings(**({"part_mib": 1, "backoff": 0.01, "timeout": 5.0} | settings)))

    return make


@pytest.fixture
def load(loader, step):
    """``load(uri)``: (what was resolved, the files that were fetched)."""

    def run(uri: str = "hf://org/small", **settings):
        loading = loader(**settings)
        info = loading.resolve(uri, step)
        loading.fetch(info, step.output, step)
        return info, {p.relative_to(step.output).as_posix(): p.read_bytes() for p in step.output.rglob("*") if p.is_file()}

    return run
