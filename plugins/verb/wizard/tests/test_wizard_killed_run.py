"""A run that was killed is what `tunesmith` offers first; it goes on from its last checkpoint."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tunesmith_sdk.tiny_models import tiny_model

from .terminal_session import ENTER, TerminalSession

pytestmark = pytest.mark.slow

COMMAND = str(Path(sys.executable).with_name("tunesmith"))


def test_a_run_that_was_killed_goes_on(project: Path, cache: Path, tmp_path: Path):
    settings = {"max_steps": 300, "batch_size": 2, "save_steps": 5, "max_length": 64}
    step = {"train": "sft", "adapter": "lora", "data": "train.jsonl", "settings": settings}
    model = tiny_model(tmp_path / "tiny")
    (project / "tunesmith.yaml").write_text(yaml.safe_dump({"name": "killed", "model": f"file://{model}", "steps": {"tune": step}}))
    run = subprocess.Popen([COMMAND, "run"], cwd=project, stdout=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + 300
    while not list(project.glob(".tunesmith/**/checkpoint*")) and run.poll() is None and time.monotonic() < until:
        time.sleep(0.2)
    assert run.poll() is None, "it was too quick to be killed"
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    session = TerminalSession([COMMAND], project, {"TUNESMITH_LANG": "en", "TUNESMITH_CACHE": str(cache)})
    try:
        session.answer("What would you like to do?", ENTER, 180)
        assert session.end(300) == 0
    finally:
        session.kill()
    said = " ".join(session.history.split())
    assert "go on with the last run" in said
    assert "$ tunesmith resume" in said
    assert "goes on from step" in said
