"""What becomes of a job whose host is killed, for the authors' files of executors."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path
from typing import Any

from tunesmith_sdk.conformance.bench.job import job_of


def goes_on_alone(folder: Path, step: Any, executor: Any) -> bool:
    """Whether a job still works ten seconds after the process was killed that had handed it over."""
    job = job_of(folder, "beat")
    beats, enough = folder / "work" / "beats", folder / "work" / "enough"
    host = multiprocessing.get_context("fork").Process(target=executor.run, args=(step, job, lambda method, params: None))
    host.start()
    while not beats.exists():
        time.sleep(0.05)
    host.kill()
    host.join()
    time.sleep(10)
    before = beats.stat().st_size
    time.sleep(1)
    goes_on = beats.stat().st_size > before
    enough.touch()
    return goes_on
