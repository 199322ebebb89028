"""The worker under every Python that it promises to run under, with the standard library alone; its contracts with pluggy beside it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import tiny_choosy
from scripted_host import TOKEN, scripted_host

import tunesmith
from tunesmith.isolation import protocol
from tunesmith_environments import code_links, interpreters

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
IMPORT_ALL = """
import importlib, pkgutil, sys, tunesmith
names = ["tunesmith.errors", "tunesmith.hookspecs", "tunesmith.deprecations"]
for package in ("contracts", "verbs", "isolation"):
    found = importlib.import_module("tunesmith." + package)
    names += [module.name for module in pkgutil.iter_modules(found.__path__, found.__name__ + ".") if not module.ispkg]
for name in names:
    importlib.import_module(name)
for name in tunesmith.contracts.__all__:
    getattr(tunesmith.contracts, name)
print(len(names))
"""


@pytest.fixture(params=VERSIONS)
def python(request: pytest.FixtureRequest) -> str:
    """A Python of this version, as it was installed."""
    found = interpreters.choose(f"=={request.param}.*")
    if found is None:
        pytest.skip(f"no Python {request.param} on this machine")
    return found.path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a worker in an isolated environment is given to run."""
    return code_links.make(tmp_path, {"tiny_choosy": Path(tiny_choosy.__file__), code_links.__package__: Path(code_links.__file__).parent})


def asked(directory: Path, **settings: Any) -> dict[str, Any]:
    """What is said of the step to run."""
    step = {
        "name": "it", "output": str(directory), "work": str(directory), "seed": 3, "placement": {"device": "cpu"}, "settings": {},
        "settings_class": "", "distribution": "tiny", "inputs": {}, "choices": {"adapter": {
            "kind": "adapter", "target": "tiny_choosy:Choosy", "settings_class": "tiny_choosy:ChoosySettings", "settings": settings}},
    }  # fmt: skip
    return {"entry": "tiny_choosy:report", "step": step}


def converse(command: list[str], folder: Path, directory: Path) -> None:
    """All that a host and a worker have to say to each other."""
    directory.mkdir(exist_ok=True)
    with scripted_host([*command, str(folder)], directory, PYTHONPATH=str(folder), PYTHONDONTWRITEBYTECODE="1") as host:
        facts = host.ask("initialize", token=TOKEN, rank=0, protocol=protocol.VERSION)["result"]
        assert (facts["protocol"], facts["tunesmith"]) == (protocol.VERSION, tunesmith.__version__)
        settings = {"limit": 2, "label": "a", "weights": {"red": None}, "colours": ["red"], "shade": {"depth": 1.5}}
        result = host.ask("run", **asked(directory, **settings))["result"]
        assert facts["python"].startswith("{}.{}.".format(*result["meta"]["python"]))
        assert result["metrics"] == {"weights": 1.0}
        assert "shade=Shade(depth=1.5)" in (directory / "seen").read_text()
        assert host.told("$/progress") == [{"done": 1.0, "total": 3.0, "what": "looking", "unit": "rows"}]
        assert host.told("$/metric") == [{"name": "depth", "value": 1.5, "at": 7}]
        assert host.told("$/decision") == [{"what": "look", "reason": "it was asked for"}]
        wrong = host.ask("run", **asked(directory, limit=0, label=1.5, shade={"depht": 1}))["error"]["data"]
        assert wrong["code"] == "TS-SPEC-020"
        assert all(name in wrong["what"] for name in ("`limit`", "`label`", "`shade.depht`")), wrong["what"]
        number = host.request("run", **asked(directory, limit=5))
        host.wait_for("$/ready")
        host.connection.send(protocol.notification("$/cancel", {}))
        assert host.response(number)["error"]["code"] == protocol.CANCELLED
        assert host.ask("shutdown")["result"] == {}
        assert host.process.wait(30) == 0


def test_a_worker_holds_a_whole_conversation_with_the_standard_library_alone(python: str, folder: Path, tmp_path: Path) -> None:
    converse([python, "-s", "-S"], folder, tmp_path / "talk")


@pytest.mark.isolated
def test_in_a_bare_environment_all_that_a_worker_may_need_imports(python: str, folder: Path, tmp_path: Path) -> None:
    made = tmp_path / "env"
    subprocess.run([python, "-m", "venv", made], check=True, timeout=300)
    there = [str(made / "bin" / "python")]
    subprocess.run([*there, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pluggy"], check=True, timeout=300)
    done = subprocess.run([*there, "-B", "-c", IMPORT_ALL], env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30
    converse(there, folder, tmp_path / "talk")
