"""A command's cost: processor seconds of all its processes, the clock's, and the memory of the largest of them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """`cpu` and `wall` in seconds, `memory` in bytes: the peak of the process that needed most."""

    cpu: float
    wall: float
    memory: int


def measure(command: Sequence[str], directory: Path, environment: Mapping[str, str], log: Path) -> Cost:
    """Run `command` to its end; what it prints goes to `log`.

    Raises:
        SystemExit: it failed.
    """
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=directory, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = log.read_text(errors="replace")[-2000:]
        raise SystemExit(f"{tail}\n{' '.join(command)} ended with status {process.returncode}; its output is in {log}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss * 1024)


def matrix_peak(threads: int, dtype: str) -> float:
    """Floating-point operations per processor second of large matrix products here: the best of three."""
    import torch

    torch.set_num_threads(threads)
    a, b = (torch.randn(2048, 2048).to(getattr(torch, dtype)) for _ in range(2))
    best = 0.0
    for _ in range(4):  # the first one warms up
        started = time.process_time()
        for _ in range(8):
            a @ b
        best = max(best, 8 * 2 * 2048**3 / (time.process_time() - started))
    return best
