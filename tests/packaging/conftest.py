from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith_environments.installers.pip_settings import uv_variables

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of every distribution of this repository."""
    folder = tmp_path_factory.mktemp("wheels")
    sources = [
        path.parent for pattern in ("core", "cli", "sdk", "plugins/*/*", "contrib/*") for path in ROOT.glob(f"{pattern}/pyproject.toml")
    ]
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
        environment = os.environ | uv_variables(find_links=[str(wheels)])
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, venv], check=True, env=environment)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", venv / "bin" / "python", *distributions], check=True, env=environment)
        return venv / "bin"

    return make
