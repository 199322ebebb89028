"""A real run's peak memory: of the largest process of its tree, which is the step's worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cases import DPO, Case

TUNESMITH = [sys.executable, "-m", "tunesmith_cli.main"]
THREADS = {"OMP_NUM_THREADS": "1"}  # each further one would have some memory of its own
STEPS = 2  # the optimizer's state is made in the first, and the second runs beside it


def measured(case: Case, model: Path, data: Path, folder: Path) -> int:
    """Bytes: `case` is run in a home of its own below `folder`.

    Raises:
        SystemExit: it failed.
    """
    command = [*TUNESMITH, *case.words, *limits(case), "--model", str(model), "--home", str(folder / "home"), "--json"]
    if case.reads_rows:
        command += ["--data", str(data)]
    if case.trains:
        command += ["--max-steps", str(STEPS), "--num-train-epochs", str(STEPS), "--save-seconds", "0"]
    log = folder / "log.jsonl"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **THREADS}, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{log.read_text(errors='replace')[-3000:]}\n{' '.join(command)} ended with status {process.returncode}")
    return usage.ru_maxrss * 1024


def limits(case: Case) -> list[str]:
    """Options that the run and the estimate are both given: pairs that are longer than allowed would be left out."""
    if not case.trains:
        return []
    return ["--batch-size", str(case.rows), "--max-length", str(2 * case.tokens if case.verb == DPO else case.tokens)]
