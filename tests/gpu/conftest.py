"""The commands for GPUs, run by an interpreter that has what others bring and nothing of this repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ROOT / "benchmarks" / "gpu"
ABSENT = ("tunesmith", "hypothesis", "xdist", "pytest_xdist", "pytest_timeout")  # what a machine with a GPU need not have


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``bare("test", "--device", "cpu")``: the command, run to its end."""
    folder = tmp_path_factory.mktemp("packages")
    for path in Path(torch.__file__).parents[1].iterdir():
        if path.suffix != ".pth" and not path.name.strip("_").lower().startswith(ABSENT):
            (folder / path.name).symlink_to(path)
    python = getattr(sys, "_base_executable", sys.executable)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment_spec = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
        return subprocess.run([python, str(COMMAND), *words], env=environment_spec, capture_output=True, text=True, check=False)

    return run
