"""docs/publishing.md, followed literally but for the upload: a plugin is checked, built, and installed alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "publishing.md"
BLOCK = re.compile(r"^ *```bash\n(.*?)^ *```", re.M | re.S)


def commands() -> list[str]:
    return [line.strip() for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")) for line in block.splitlines()]


@pytest.mark.slow
def test_a_new_plugin_is_published_as_the_page_says(wheels: Path, clean_environment: Callable[..., Path], tmp_path: Path):
    bin = clean_environment("tunesmith-sdk[scaffold]", "hatchling")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TUNESMITH_HOME", "VIRTUAL_ENV")}
    environment |= {"TUNESMITH_CACHE": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    environment["PATH"] = f"{bin}{os.pathsep}{environment['PATH']}"
    environment["PIP_FIND_LINKS"] = f"{environment.get('PIP_FIND_LINKS', '')} {wheels}".strip()

    def do(line: str, where: Path) -> str:
        done = subprocess.run(line, shell=True, cwd=where, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    do("tunesmith plugin new dataset_format tilt", tmp_path)
    folder = tmp_path / "tunesmith-tilt"
    raised = False
    for line in commands():
        if line == "tunesmith plugin sync .":
            project = folder / "pyproject.toml"
            project.write_text(project.read_text().replace('version = "0.1.0"', 'version = "0.2.0"'))
            raised = True
        if line.startswith("pytest"):
            line += " tests/test_tunesmith_tilt.py -o pythonpath=src"  # the page's author has it installed in place
        do(line, folder)
    assert raised
    listed = json.loads(do("../alone/bin/tunesmith plugin list --json", folder))
    found = {one["distribution"]: one for one in listed}
    assert "tunesmith-data" in found  # which brings its kind
    assert (found["tunesmith-tilt"]["version"], found["tunesmith-tilt"]["state"]) == ("0.2.0", "active")
    assert (folder / "dist" / "tunesmith_tilt-0.2.0-py3-none-any.whl").is_file()
