"""The knowledge base of a home: what came of its runs, and of others' that were merged into it. SQLite, valid after any kill; it can be
made anew from the runs at any time, but for what was merged."""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.contracts.settings import problems
from tunesmith.errors import UserError
from tunesmith.running.home_permissions import PRIVATE
from tunesmith_cli.api import write_whole
from tunesmith_recommend.evidence.entry import SCHEMA, Entry, entries_of

if TYPE_CHECKING:
    from tunesmith import RunView
    from tunesmith.running.journal.journal import Journal

FILE = "knowledge.sqlite"
VERSION = 1
_PATIENCE = 30.0  # seconds to wait for another process that writes
_TABLES = """
CREATE TABLE IF NOT EXISTS home (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (id TEXT PRIMARY KEY, home TEXT NOT NULL, document TEXT NOT NULL) WITHOUT ROWID;
"""


class KnowledgeBase:
    """Of one home. Several processes may have it open.

    Adding what is there already changes nothing, and of two documents with the same id the one with more results is kept, of as many the
    one that sorts last: so merging gives the same in whatever order, and however often, and of a run that was killed and went on what it
    came to in the end.

    Raises:
        UserError: TS-RECOMMEND-005 where its file is no knowledge base, or can't be written.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        home.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
            with self._writing():
                for statement in _TABLES.strip().split(";\n"):
                    self._db.execute(statement)
                if not self._db.execute("SELECT id FROM home").fetchone():
                    self._db.execute("INSERT INTO home VALUES (?)", (secrets.token_hex(8),))
        except sqlite3.DatabaseError as error:
            raise _damaged(self.path, error) from error

    @property
    def home(self) -> str:
        """Which home it is, in entries: a number that says nothing else."""
        return str(self._db.execute("SELECT id FROM home").fetchone()[0])

    def entries(self) -> list[Entry]:
        """All, those first that ended first."""
        found = []
        for (document,) in self._db.execute("SELECT document FROM entries"):
            with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
                found.append(Entry.from_json(json.loads(document)))
        return sorted(found, key=lambda entry: (entry.finished, entry.id))

    def add(self, entries: Iterable[Entry], run: str = "") -> int:
        """How many are new.

        Args:
            run: whose they are, all of them: it is not asked again.
        """
        with self._writing():
            before = self._count()
            for entry in entries:
                document = json.dumps(entry.to_json(), sort_keys=True)
                known = self._db.execute("SELECT document FROM entries WHERE id = ?", (entry.id,)).fetchone()
                document = max(document, *(known or ()), key=_weight) if known else document
                self._db.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", (entry.id, entry.home, document))
            if run:
                self._db.execute("INSERT OR IGNORE INTO runs VALUES (?)", (run,))
            return self._count() - before

    def learn(self, view: RunView) -> int:
        """From a run that has ended; how many entries are new. One that was killed may go on: it is asked again."""
        return self.add(entries_of(view, self.home), "" if view.row.state == "interrupted" else view.row.id)

    def learn_all(self, journal: Journal, home: Path, *, anew: bool = False) -> tuple[int, int]:
        """From all finished runs of the home that were not asked yet, or `anew` from all of them, without what is not in them any more; how
        many runs, and how many entries are new. A run whose plan can't be read any more is passed over."""
        from tunesmith.errors import TunesmithError
        from tunesmith.running.journal.run_directories import mark_interrupted
        from tunesmith.running.journal.run_view import RunView

        mark_interrupted(journal, home)
        if anew:
            with self._writing():
                self._db.execute("DELETE FROM entries WHERE home = ?", (self.home,))
                self._db.execute("DELETE FROM runs")
        known = {run for (run,) in self._db.execute("SELECT run FROM runs")}
        runs = entries = 0
        for row in journal.runs():
            if row.id in known or row.state in ("running", "serving"):
                continue
            with contextlib.suppress(TunesmithError):
                entries += self.learn(RunView(journal, home, row))
                runs += 1
        return runs, entries

    def write(self, file: Path) -> int:
        """Everything as lines of JSON, the first of which says what it is; how many entries."""
        found = self.entries()
        lines = [{"format": "tunesmith-knowledge", "version": VERSION}, *(entry.to_json() for entry in found)]
        write_whole(file, "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines))
        return len(found)

    def merge(self, file: Path) -> int:
        """What `write` wrote, of another home or this one; how many entries are new.

        Raises:
            UserError: TS-RECOMMEND-005 when it is nothing that `write` wrote; then nothing is merged.
        """
        try:
            head, *lines = file.read_text(encoding="utf-8").splitlines()
            if json.loads(head) != {"format": "tunesmith-knowledge", "version": VERSION}:
                raise ValueError("its first line names another format or version")
            return self.add([_entry(line) for line in lines])
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _damaged(file, error) from error

    def close(self) -> None:
        self._db.close()

    def _count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM entries").fetchone()[0])

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _weight(document: str) -> tuple[int, str]:
    """By which one of two documents with the same id is kept."""
    return len(json.loads(document).get("results", ())), document


def _entry(line: str) -> Entry:
    """
    Raises:
        ValueError: it is no entry.
    """
    told = json.loads(line, parse_constant=_no_number)
    wrong = next((f"`{path}` {sentence}" for path, sentence in problems(SCHEMA, told)), "")
    if wrong:
        raise ValueError(wrong)
    return Entry.from_json(told)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _damaged(file: Path, error: Exception) -> UserError:
    if isinstance(error, sqlite3.OperationalError):  # the disk, or who else is at it
        return UserError(
            "TS-RECOMMEND-005", f"{file} can't be written now", why=f"SQLite says: {error}.",
            fix="See to it that the disk has room and that you may write there. Nothing is lost: the next `tunesmith recommend` learns "
            "from the run.",
        )  # fmt: skip
    return UserError(
        "TS-RECOMMEND-005", f"{file} is no knowledge base that this version reads", why=f"{type(error).__name__}: {error}",
        fix="What can be merged is written by `tunesmith recommend --export FILE`. A damaged knowledge base can be deleted: "
        "`tunesmith recommend --learn` makes it anew from the runs.",
    )  # fmt: skip
