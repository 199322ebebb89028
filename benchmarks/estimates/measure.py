"""A real run's peak memory: of the largest process of its tree, which is the step's worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cases import DPO, Case

TUNESMITH = [sys.executable, "-m", "tunesmith.cli.main"]
STEPS = 2  # the optimizer's state is made in the first, and the second runs beside it


def measured(case: Case, model: Path, data: Path, folder: Path) -> int:
    """Bytes: `case` is run in a home of its own below `folder`.

    Raises:
        SystemExit: it failed.
    """
    command = [*TUNESMITH, *case.words, "--model", str(model), "--data", str(data), "--home", str(folder / "home"), "--refresh", "--json"]
    if not case.verb.startswith("eval"):
        command += ["--max-steps", str(STEPS), "--epochs", str(STEPS), "--batch-size", str(case.rows), "--checkpoint-seconds", "0"]
        command += ["--max-length", str(2 * case.tokens if case.verb == DPO else case.tokens)]  # pairs that are longer are left out
    log = folder / "log.jsonl"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{log.read_text(errors='replace')[-3000:]}\n{' '.join(command)} ended with status {process.returncode}")
    return usage.ru_maxrss * 1024
