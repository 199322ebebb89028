"""docs/first-plugin.md, followed literally: its commands and its files, but for the installing, which has been done here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "first-plugin.md"
FILE = re.compile(r"^`(?P<name>[\w./-]+)`:\n\n```python\n(?P<code>.*?)^```", re.M | re.S)
COMMANDS = re.compile(r"^```bash\n(.*?)^```", re.M | re.S)


def files() -> dict[str, str]:
    return {found["name"]: found["code"] for found in FILE.finditer(PAGE.read_text(encoding="utf-8"))}


def commands() -> list[str]:
    """The page's command lines, in order, but those that install something."""
    lines = [line for block in COMMANDS.findall(PAGE.read_text(encoding="utf-8")) for line in block.splitlines()]
    return [line for line in lines if not line.startswith("pip install")]


def test_the_adapter_is_as_short_as_the_page_says():
    code = files()["src/tunesmith_lora_xs/adapter.py"]
    assert len([line for line in code.splitlines() if line.strip()]) < 60
    assert set(files()) == {"src/tunesmith_lora_xs/settings.py", "src/tunesmith_lora_xs/adapter.py", "tests/test_tunesmith_lora_xs.py"}


@pytest.mark.slow
def test_the_page_followed_literally_works(tmp_path: Path):
    folder = tmp_path / "tunesmith-lora-xs"
    bin = tmp_path / "bin"
    bin.mkdir()
    for name, module in {"tunesmith": "tunesmith_cli", "pytest": "pytest", "python": ""}.items():
        (bin / name).write_text(f'#!/bin/sh\nexec {sys.executable} {f"-m {module}" if module else ""} "$@"\n')
        (bin / name).chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "TUNESMITH_HOME"}
    environment |= {"TUNESMITH_CACHE": str(tmp_path / "cache"), "OMP_WAIT_POLICY": "PASSIVE"}
    environment["PATH"] = f"{bin}{os.pathsep}{os.environ['PATH']}"

    def do(line: str) -> None:
        where = folder if folder.exists() else tmp_path
        done = subprocess.run(line, shell=True, cwd=where, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"

    todo = commands()
    do(todo.pop(0))
    assert todo.pop(0) == "cd tunesmith-lora-xs"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "wheels"]
    subprocess.run(build, cwd=folder, check=True, capture_output=True)
    site = tmp_path / "site"  # as `pip install -e` does: metadata on the path, and the package as it lies in its folder
    install = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--offline", "--no-deps", "--target", site]
    subprocess.run([*install, next((tmp_path / "wheels").glob("*.whl"))], check=True)
    for path in site.glob("tunesmith_lora_xs/*"):  # editable
        path.unlink()
    (site / "tunesmith_lora_xs").rmdir()
    (site / "tunesmith_lora_xs").symlink_to(folder / "src" / "tunesmith_lora_xs", target_is_directory=True)
    environment["PYTHONPATH"] = str(site)
    for name, code in files().items():
        (folder / name).write_text(code)
    for line in todo:
        do(line)
    assert list((folder / ".tunesmith").rglob("adapter_model.safetensors"))
