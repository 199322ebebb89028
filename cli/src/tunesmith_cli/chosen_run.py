"""The journal of the home that is in force, and the run of it that a command means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import UserError

if TYPE_CHECKING:
    from tunesmith.running.journal.journal import Journal
    from tunesmith.running.journal.run_view import RunView


@contextmanager
def opened_journal() -> Iterator[tuple[Journal | None, Path]]:
    """The journal of this home; None if nothing was ever run here, and then none is made."""
    from tunesmith.config import load_config
    from tunesmith.running.journal.journal import FILE, Journal
    from tunesmith.running.journal.run_directories import mark_interrupted

    home = load_config().home
    if not (home / FILE).is_file():
        yield None, home
        return
    journal = Journal(home)
    try:
        mark_interrupted(journal, home)
        yield journal, home
    finally:
        journal.close()


@contextmanager
def chosen_run(name: str | None) -> Iterator[RunView]:
    """The run that is meant: its id or the beginning of one; None: the last one.

    Raises:
        UserError: TS-CLI-011 when nothing has been run here, TS-RUN-021 when there is no such run.
    """
    from tunesmith.running.journal.run_directories import find
    from tunesmith.running.journal.run_view import RunView

    with opened_journal() as (journal, home):
        rows = [row for row in journal.runs() if name or not row.aside] if journal else []
        if journal is None or not rows:
            raise UserError(
                "TS-CLI-011", f"nothing has been run in {home.parent}", fix="Start something: `tunesmith run`, or name another --home."
            )
        yield RunView(journal, home, find(journal, name) if name else rows[0])


@contextmanager
def past_runs() -> Iterator[list[RunView]]:
    """All runs of this home, the newest first, but for those that commands ran on their way; empty if nothing was ever run here."""
    from tunesmith.running.journal.run_view import RunView

    with opened_journal() as (journal, home):
        yield [RunView(journal, home, row) for row in journal.runs() if not row.aside] if journal else []
