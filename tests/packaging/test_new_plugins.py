"""What `tunesmith plugin new` makes keeps its contract untouched: made, built and checked by wheels, in an isolated environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.config import load_config
from tunesmith.plugins.registry import load_registry
from tunesmith_sdk.templates import kinds

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")


def build(source: Path, folder: Path) -> Path:
    """The wheel of a source folder."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=source, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def elsewhere(clean_environment: Callable[..., Path]) -> Path:
    """The bin folder of an environment with the kernel, the SDK with all that its authors have and those that bring kinds, by wheels."""
    constraints = ROOT / "tools" / "constraints.txt"
    bringers = [plugin.distribution for plugin in load_registry(load_config()).plugins if plugin.kinds]
    return clean_environment("--constraint", str(constraints), "tunesmith-sdk[scaffold,torch,serving]", *bringers, "hatchling")


@pytest.mark.slow
@pytest.mark.parametrize("kind", kinds())
def test_a_new_plugin_passes_its_checks_installed_from_its_wheel(kind: str, elsewhere: Path, tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TUNESMITH_HOME")}
    environment |= {"TUNESMITH_CACHE": str(elsewhere / "cache"), "OMP_WAIT_POLICY": "PASSIVE"}

    def tunesmith(*words: str) -> str:
        done = subprocess.run([elsewhere / "tunesmith", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    distribution = f"acme-{kind.replace('_', '-')}"
    tunesmith("plugin", "new", kind, "tilt", "--distribution", distribution)
    (tmp_path / "wheels").mkdir()
    wheel = build(tmp_path / distribution, tmp_path / "wheels")
    subprocess.run([UV, "pip", "install", "--quiet", "--no-deps", "--python", elsewhere / "python", wheel], check=True)
    try:
        (listed,) = [plugin for plugin in json.loads(tunesmith("plugin", "list", "--json")) if plugin["distribution"] == distribution]
        assert (listed["state"], listed["runs"]) == ("active", "host")
        tunesmith("plugin", "check", distribution)
    finally:
        subprocess.run([UV, "pip", "uninstall", "--quiet", "--python", elsewhere / "python", distribution], check=True)
