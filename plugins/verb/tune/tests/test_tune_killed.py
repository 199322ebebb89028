"""`tunesmith tune` over real runs, killed in the middle of trials: the same trials come of it, with the same scores."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tunesmith_sdk.tiny_models import tiny_model

pytestmark = pytest.mark.slow
TRIALS = 4


def project(folder: Path) -> Path:
    folder.mkdir()
    tiny_model(folder / "model", seed=1)
    rows = [
        json.dumps({"messages": [{"role": "user", "content": f"What is {n} + 1?"}, {"role": "assistant", "content": str(n + 1)}]})
        for n in range(24)
    ]
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n")
    settings = {"num_train_epochs": 6, "batch_size": 4, "validation_split": 0.2, "eval_steps": 4, "dtype": "float32"}
    step = {"train": "sft", "adapter": "full", "data": "rows.jsonl", "settings": settings}
    (folder / "tunesmith.yaml").write_text(json.dumps({"model": "file://model", "steps": {"tune": step}}))
    return folder


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    words = ["tune", "--search", "steps.tune.settings.learning_rate=log(1e-4,1e-1)", "--metric", "tune.validation_loss", "--json"]
    words += ["--budget", f"{TRIALS} trials", "--patience", "0", "--home", str(folder / "home"), *more]
    return subprocess.Popen(
        [sys.executable, "-m", "tunesmith_cli", *words], cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def finished(folder: Path, *more: str) -> list[dict[str, Any]]:
    process = start(folder, *more)
    out, _ = process.communicate(timeout=500)
    assert process.returncode == 0, out
    result = json.loads(out.splitlines()[-1])
    return [{key: trial[key] for key in ("number", "state", "values", "scores", "points")} for trial in result["trials"]]


def killed_after(folder: Path, lines: int, *more: str) -> None:
    """Start the search, and kill it with all its workers once its journal has so many lines."""
    process = start(folder, *more)
    deadline = time.monotonic() + 500
    while process.poll() is None and time.monotonic() < deadline:
        journals = list((folder / "home" / "searches").glob("*/journal.jsonl"))
        if journals and journals[0].read_bytes().count(b"\n") >= lines:
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize(
    "searcher", [["--searcher", "halving", "--searcher-set", "trials=3"], ["--searcher", "tpe"]], ids=["halving", "tpe"]
)
def test_killed_in_the_middle_of_trials_the_same_come_of_it(searcher: list[str], tmp_path: Path):
    whole = finished(project(tmp_path / "whole"), *searcher)
    assert len(whole) == TRIALS
    folder = project(tmp_path / "killed")
    for lines in (4, 9, 15):
        killed_after(folder, lines, *searcher)
    assert finished(folder, *searcher) == whole
