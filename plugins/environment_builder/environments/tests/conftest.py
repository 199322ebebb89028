"""A folder of tiny wheels, and environments made from it: nothing here asks the network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from tunesmith.plugins import entry_points as scan
from tunesmith_environments.manager import Environments
from tunesmith_sdk.distributions.wheels import write_wheel
from tunesmith_sdk.distributions.written_plugins import link_plugin, write_plugin
from tunesmith_sdk.testing.command_runner import World


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`anvil` 1.0 and 2.0 (which needs `tongs`), `hammer` (needs `anvil<2`), and a stand-in for pluggy."""
    for name, value in {
        "UV_CACHE_DIR": tmp_path / "uv-cache",
        "PIP_CACHE_DIR": tmp_path / "pip-cache",
        "PIP_CONFIG_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, str(value))
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS", "UV_INDEX", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "wheels"
    folder.mkdir()
    write_wheel(folder, "pluggy", "1.6.0")
    write_wheel(folder, "tongs", "0.5")
    write_wheel(folder, "anvil", "1.0")
    write_wheel(folder, "anvil", "2.0", requires=["tongs>=0.1"])
    write_wheel(folder, "hammer", "1.0", requires=["anvil<2"])
    return folder


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> World:
    """A project on a host that has this plugin and `acme-bench`, which needs nothing; `world(*words)` types a command there."""
    site, folder = tmp_path / "site", tmp_path / "project"
    site.mkdir()
    folder.mkdir()
    link_plugin(site, "tunesmith-environments")
    write_plugin(site, "acme-bench", providers=[{"kind": "exporter", "name": "bench"}], code="x = 1\n")
    monkeypatch.setattr(scan, "search_path", lambda: [str(site)])
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("TUNESMITH_HOME", "TUNESMITH_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return World(folder, site, capsys)


@pytest.fixture(params=["uv", pytest.param("pip", marks=pytest.mark.slow)])
def environments(request: pytest.FixtureRequest, wheels: Path, tmp_path: Path) -> Environments:
    return Environments(tmp_path / "environments", installer=request.param, offline=True, find_links=[wheels])
