"""A folder of tiny wheels, and environments made from it: nothing here asks the network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from tiny_wheels import write_wheel

from tunesmith.isolation.environments.manager import Environments


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


@pytest.fixture(params=["uv", pytest.param("pip", marks=pytest.mark.slow)])
def environments(request: pytest.FixtureRequest, wheels: Path, tmp_path: Path) -> Environments:
    return Environments(tmp_path / "environments", installer=request.param, offline=True, find_links=[wheels])
