"""Tests with the marker `gpu`, by pytest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from device import Device
from told import Telling

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("core", "cli", "sdk", "plugins", "contrib", "tests")
_MARKED = re.compile(r"pytest\.mark\.gpu\b")


def run(device: Device, folder: Path, tell: Telling) -> None:
    paths = (path for top in FOLDERS for path in sorted((ROOT / top).rglob("test_*.py")))
    files = [path.relative_to(ROOT).as_posix() for path in paths if _MARKED.search(path.read_text("utf-8"))]
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", "-ra", *files]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "TUNESMITH_TEST_DEVICE": str(device.torch)}
    )
    lines = done.stdout.strip().splitlines()
    told = [line for line in lines if re.match(r"(FAILED|ERROR|SKIPPED)", line)]
    tell.held(
        ", ".join(files), lines[-1] if lines else "", holds=done.returncode == 0, otherwise="; ".join(told)[:600] or done.stderr[-600:]
    )
