from __future__ import annotations

import functools
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import pytest

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith_environments.manager import Environments

PIPELINE = "name: p\nmodel: file://model\nsteps:\n  released: {stamp: {audience: support}, from: model}\n"
ALLOW = '[plugins]\nallow = ["tunesmith-*", "acme-stamp==1.0@{pin}"]\n'


@pytest.mark.slow
def test_the_reviewed_code_runs_and_a_changed_line_of_it_does_not(house):
    place = house("stamp", pipeline=PIPELINE)
    (told,) = json.loads(place.tunesmith("plugin", "info", "acme-stamp", "--code", "--json"))
    (place.folder / "tunesmith.toml").write_text(ALLOW.format(pin=told["code"]))
    place.tunesmith("run")
    code = place.site / "acme_stamp" / "stamps.py"
    code.write_text(code.read_text() + "# harmless\n")
    assert place.states()["acme-stamp"] == "denied"
    assert "acme-stamp (denied)" in place.tunesmith("plan", status=2)
    assert "its code is sha256:" in place.tunesmith("plugin", "doctor", status=None)


def _put_pluggy(folder: Path) -> None:
    """The one library that workers need, as it is installed here, in a wheel again."""
    folder.mkdir()
    here = metadata.distribution("pluggy")
    with zipfile.ZipFile(folder / f"pluggy-{here.version}-py3-none-any.whl", "w") as wheel:
        for file in here.files or ():
            if ".." not in file.parts and file.suffix != ".pyc" and file.name not in ("INSTALLER", "REQUESTED", "RECORD"):
                wheel.write(file.locate(), file.as_posix())
        wheel.writestr(f"pluggy-{here.version}.dist-info/RECORD", "")


class Index(SimpleHTTPRequestHandler):
    """An index as PEP 503 has it, with the files of a folder."""

    asked: list[str] = []  # noqa: RUF012 - of the class, because the server makes an instance per request

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """The address of an internal index that has one library."""
    folder = tmp_path / "index" / "simple" / "acme-engine"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "acme_engine-1.0-py3-none-any.whl", "w") as wheel:
        info = "acme_engine-1.0.dist-info"
        wheel.writestr("acme_engine.py", "MADE_BY = 'acme'\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: acme-engine\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    _put_pluggy(tmp_path / "index" / "simple" / "pluggy")
    for library in folder.parent.iterdir():
        (library / "index.html").write_text("".join(f"<a href='{path.name}'>{path.name}</a>" for path in library.glob("*.whl")))
    Index.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Index, directory=tmp_path / "index"))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/simple/"
    server.shutdown()
    server.server_close()


class Quiet:
    """Who waits for an environment."""

    def progress(self, *_: object) -> None: ...

    def log(self, message: str) -> None: ...

    def check(self) -> None: ...


@pytest.mark.slow
@pytest.mark.isolated
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_environment_is_built_from_the_internal_index_alone(installer: str, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {index}\ntrusted-host = 127.0.0.1\n")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    recipe = Recipe(("acme-engine==1.0",), (), (), "", "cpu", (), {}, ("acme-kettle",))
    made = Environments(tmp_path / "environments", installer=installer).ensure(recipe, Quiet())
    assert list(Path(made.path).rglob("acme_engine.py"))
    assert any(path.endswith(".whl") for path in Index.asked)
