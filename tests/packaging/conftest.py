from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _install_tool():
    spec = importlib.util.spec_from_file_location("tunesmith_install_tool", ROOT / "tools" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of every distribution of this repository."""
    folder = tmp_path_factory.mktemp("wheels")
    sources = [path.parent for pattern in ("core", "sdk", "plugins/*/*", "contrib/*") for path in ROOT.glob(f"{pattern}/pyproject.toml")]
    for source in sources:
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=source, check=True, capture_output=True
        )
    return folder


@pytest.fixture(scope="session")
def clean_environment(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``clean_environment("tunesmith-x", ...)``: the bin folder of a new environment with just these, from their wheels."""
    uv = Path(sys.executable).with_name("uv")

    def make(*distributions: str) -> Path:
        venv = tmp_path_factory.mktemp("venv") / "venv"
        environment = os.environ | _install_tool().pip_settings(Path(sys.executable))
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, venv], check=True, env=environment)
        links = [environment.get("UV_FIND_LINKS", ""), str(wheels)]
        environment["UV_FIND_LINKS"] = ",".join(link for link in links if link)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", venv / "bin" / "python", *distributions], check=True, env=environment)
        return venv / "bin"

    return make
