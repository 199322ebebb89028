"""Runs and their directories: ``runs/<id>/`` with plan, logs, what plugins write about it, and a lock for as long as the run lives."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith.isolation.locks import FileLock
from tunesmith.planning.plan import Plan
from tunesmith.running.journal.journal import Journal, RunRow
from tunesmith.running.journal.plan_file import read_plan

_UNFINISHED = ("interrupted", "failed", "cancelled")


def directory(home: Path, run: str) -> Path:
    return home / "runs" / run


def new_id() -> str:
    """Sorts by time, and is short enough to type."""
    return time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2)


def lock(home: Path, run: str) -> FileLock:
    """Held by the process that carries the run out."""
    return FileLock(directory(home, run) / "lock")


def mark_interrupted(journal: Journal, home: Path) -> list[str]:
    """Find runs whose process died, note it in the journal, and give their names."""
    dead = []
    for row in journal.runs():
        if row.state in ("running", "serving"):
            held = lock(home, row.id)
            if held.try_acquire():
                journal.interrupt_run(row.id)
                held.release()
                dead.append(row.id)
    return dead


def find(journal: Journal, run: str | None) -> RunRow:
    """The run with this id (or the only one that begins so); without an id, the last one that did not finish.

    Raises:
        UserError: TS-RUN-021 when there is none.
    """
    rows = journal.runs()
    if run is None:
        found = [row for row in rows if row.state in _UNFINISHED and not row.aside][:1]
    else:
        found = [row for row in rows if row.id == run] or [row for row in rows if row.id.startswith(run)]
    if len(found) == 1:
        return found[0]
    if run is None:
        raise UserError("TS-RUN-021", "There is no unfinished run here to go on with", fix="Start one: tunesmith run")
    if found:
        raise UserError(
            "TS-RUN-021", f"Several runs begin with `{run}`: " + ", ".join(row.id for row in found), fix="Give more of the name."
        )
    raise UserError("TS-RUN-021", f"There is no run `{run}` here", fix=did_you_mean(run, (row.id for row in rows)))


def stored_plan(home: Path, run: str) -> Plan:
    """The plan that a run carries out.

    Raises:
        TunesmithError: TS-RUN-022 when its file is gone or of another version.
    """
    try:
        return read_plan(directory(home, run))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TunesmithError(
            "TS-RUN-022", f"The plan of run {run} can't be read", why=f"{type(error).__name__}: {error}",
            fix="Run the pipeline again: `tunesmith run`. What was finished is taken from the store.",
        ) from error  # fmt: skip
