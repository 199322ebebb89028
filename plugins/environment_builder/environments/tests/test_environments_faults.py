"""What goes wrong while an environment is made: each has its code, names who asks and says what to do."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith.errors import TunesmithError
from tunesmith_environments import disk_space, interpreters
from tunesmith_environments.manager import Environments
from tunesmith_sdk.distributions.wheels import write_wheel

WHO = ("acme-forge", "acme-press")


def failure(environments: Environments, *requirements: str, **more: object) -> TunesmithError:
    with pytest.raises(TunesmithError) as caught:
        environments.ensure(Recipe(requirements, plugins=WHO, **more))
    assert caught.value.fix
    folders = [path.name for path in environments.directory.iterdir() if path.is_dir()] if environments.directory.is_dir() else []
    assert set(folders) <= {"locks", "links", "tools"}, "nothing is left"
    return caught.value


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}/simple"


@pytest.fixture(params=["uv", pytest.param("pip", marks=pytest.mark.slow)])
def online(request: pytest.FixtureRequest, wheels: Path, tmp_path: Path) -> Environments:
    return Environments(tmp_path / "environments", installer=request.param, find_links=[wheels])


def test_no_network(online: Environments, closed_port: str, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"PIP_INDEX_URL": closed_port, "PIP_RETRIES": "1", "UV_HTTP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    error = failure(online, "nails")
    assert error.code == "TS-ENV-001"
    assert "acme-forge, acme-press" in error.what


def test_offline_and_not_here(environments: Environments):
    error = failure(environments, "nails>=3")
    assert error.code == "TS-ENV-008"
    assert "nails" in error.what


@pytest.fixture
def without_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")


@pytest.mark.usefixtures("without_an_index")
def test_a_requirement_that_no_index_has(online: Environments):
    error = failure(online, "nails")
    assert error.code == "TS-ENV-003"
    assert "`nails`" in error.what


@pytest.mark.usefixtures("without_an_index")
def test_a_version_that_no_index_has(online: Environments):
    error = failure(online, "anvil==99")
    assert error.code == "TS-ENV-003"
    assert "anvil==99" in error.what


@pytest.mark.usefixtures("without_an_index")
def test_requirements_that_contradict_each_other_name_the_plugins(online: Environments):
    error = failure(online, "hammer", "anvil>=2")
    assert error.code == "TS-ENV-004"
    assert "acme-forge, acme-press" in error.what
    assert "anvil" in error.why


def test_a_wheel_that_is_not_the_one_that_was_locked(
    environments: Environments, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    recipe = Recipe(("tongs",), plugins=WHO)
    Environments(environments.directory, offline=True, find_links=[wheels]).lock(recipe)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "another-cache"))  # in the first one the locked wheel still is
    write_wheel(wheels, "tongs", "0.5", files={"tongs/evil.py": "print('hello')\n"})
    error = failure(environments, "tongs")
    assert error.code == "TS-ENV-006"
    assert "tongs" in error.what


def test_no_python_that_will_do(environments: Environments, monkeypatch: pytest.MonkeyPatch):
    error = failure(environments, "anvil", python=">=3.98")
    assert error.code == "TS-ENV-005"
    assert interpreters.host().version in error.why
    assert ">=3.98" in error.what


@pytest.mark.parametrize("line", ["anvil @ https://example.org/anvil-1.0-py3-none-any.whl", "an vil", "anvil=>2"])
def test_what_can_be_no_requirement(line: str, environments: Environments):
    error = failure(environments, line)
    assert error.code == "TS-ENV-013"
    assert line in error.what


def test_a_disk_that_has_no_room_is_told_before_anything_is_written(environments: Environments, monkeypatch: pytest.MonkeyPatch):
    environments.lock(Recipe(("anvil",), plugins=WHO))
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    assert failure(environments, "anvil").code == "TS-ENV-002"


def test_a_directory_that_can_not_be_written(wheels: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    environments = Environments(tmp_path / "file" / "environments", offline=True, find_links=[wheels])
    assert failure(environments, "anvil").code == "TS-ENV-012"


@pytest.mark.slow
def test_an_installer_that_is_asked_for_and_not_here(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tunesmith_environments.installers.choice.find_uv", lambda: None)
    error = failure(Environments(tmp_path / "environments", installer="uv"), "anvil")
    assert error.code == "TS-ENV-010"
    auto = Environments(tmp_path / "environments", offline=True, find_links=[wheels])
    assert auto.ensure(Recipe(("anvil",))).made_by.startswith("pip "), "auto takes pip then"
