"""Runs of a home as the journal tells them, whichever process carries them out: those of a server that was killed among them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError

if TYPE_CHECKING:
    from tunesmith import RunView
    from tunesmith.running.journal.journal import Journal

GOING = ("running", "serving")


@contextmanager
def _journal(home: Path) -> Iterator[Journal | None]:
    """None where nothing was run yet: then none is made."""
    from tunesmith.running.journal.journal import FILE, Journal
    from tunesmith.running.journal.run_directories import mark_interrupted

    if not (home / FILE).is_file():
        yield None
        return
    journal = Journal(home)
    try:
        mark_interrupted(journal, home)
        yield journal
    finally:
        journal.close()


@contextmanager
def _view(home: Path, run: str) -> Iterator[RunView]:
    from tunesmith import RunView
    from tunesmith.running.journal.run_directories import find

    with _journal(home) as journal:
        if journal is None:
            raise UserError("TS-RUN-021", f"There is no run `{run}` here", fix="Nothing was run in this folder yet: prepare_run, then run.")
        yield RunView(journal, home, find(journal, run))


def listed(home: Path, state: str = "", most: int = 20) -> list[dict[str, Any]]:
    """The runs, the newest first.

    Args:
        state: only those in it; empty: all.
    """
    with _journal(home) as journal:
        rows = [row for row in journal.runs() if not row.aside and state in ("", row.state)] if journal else []
    return [asdict(row) for row in rows[:most]]


def shown(home: Path, run: str) -> dict[str, Any]:
    """All that is known of a run, with what its steps measured: series name -> [[where, value], ...].

    Raises:
        UserError: TS-RUN-021 when there is none.
    """
    with _view(home, run) as view:
        return {**view.to_json(), "series": {name: view.series(name) for name in view.steps}, "gates": _gates(view)}


def told_since(home: Path, run: str, since: int) -> dict[str, Any]:
    """State, progress, and the events from number `since` on; `next` is the number to ask from the next time. Raises as `shown` does."""
    with _view(home, run) as view:
        events = view.events()
        said = view.to_json()
    steps = [{key: step[key] for key in ("step", "state", "cached", "progress", "metrics", "seconds")} for step in said["steps"]]
    return {
        "run": said["id"], "state": said["state"], "error": said["error"], "steps": steps, "report": said["report"],
        "events": [{"time": at, "step": step, "kind": kind, "text": text} for at, step, kind, text in events[since:]], "next": len(events),
    }  # fmt: skip


def ask_to_stop(home: Path, run: str) -> str:
    """Send what Ctrl-C sends to the process that carries a run out, and give the run's id.

    Raises:
        UserError: TS-RUN-021 when there is no such run, TS-MCP-006 when it has ended.
    """
    from tunesmith.running.journal.run_directories import lock

    with _view(home, run) as view:
        row = view.row
    if row.state not in GOING:
        raise UserError("TS-MCP-006", f"run {row.id} is {row.state} already", fix="`list_runs` says which ones go on.")
    holder = lock(home, row.id).holder()
    if holder.isdecimal():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(holder), signal.SIGINT)
    return row.id


def _gates(view: RunView) -> list[dict[str, Any]]:
    from tunesmith.errors import TunesmithError

    with contextlib.suppress(TunesmithError):  # its plan is gone: what it measured is there all the same
        return [asdict(gate) for gate in view.gates]
    return []
