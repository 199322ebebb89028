"""Endpoints of this home that are up, as the kernel notes them in the directories of their runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.contracts.cache_files import read_note
from tunesmith.running.journal.run_directories import lock


class RunningEndpoint(NamedTuple):
    """A service that answers: its run and step, the process that carries the run out, and the facts it told (`url`, `model`)."""

    run: str
    step: str
    pid: int
    facts: Mapping[str, Any]


def running_endpoints(home: Path) -> Iterator[RunningEndpoint]:
    """The endpoints of a home that are up, the oldest run first. What a host that was killed has left is removed."""
    for path in sorted(home.glob("runs/*/endpoints/*.json")):
        run = path.parts[-3]
        held = lock(home, run)
        if held.try_acquire():
            path.unlink(missing_ok=True)
            held.release()
        elif found := read_note(path):
            yield RunningEndpoint(run, path.stem, found["pid"], found["facts"])
