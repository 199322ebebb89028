from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import release
from distributions import distributions

from tunesmith_environments.installers.pip_settings import uv_variables


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of every distribution of this repository, and the index of them."""
    folder = tmp_path_factory.mktemp("wheels")
    for one in distributions().values():
        release.build(one, folder)
    release.write_index(folder)
    return folder


@pytest.fixture(scope="session")
def clean_environment(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``clean_environment("tunesmith-x", ...)``: the bin folder of a new environment with just these, from their wheels.

    The words are those of `pip install`; options may be among them.
    """
    uv = Path(sys.executable).with_name("uv")

    def make(*words: str) -> Path:
        venv = tmp_path_factory.mktemp("venv") / "venv"
        environment = os.environ | uv_variables(find_links=(str(wheels),))
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, venv], check=True, env=environment)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", venv / "bin" / "python", *words], check=True, env=environment)
        return venv / "bin"

    return make
