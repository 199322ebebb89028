"""The journal: what was run, what came of it, and which artifact answers which cache key. SQLite, valid after any kill (law L5)."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tunesmith.errors import TunesmithError
from tunesmith.isolation.error_conversion import disk_error
from tunesmith.running.journal.records import CacheRow, LineageRow, ProgressRow, RunRow, StepRow, row_of, sealed
from tunesmith.running.journal.schema import TABLES, VERSION

FILE = "journal.sqlite"
PATIENCE = 30.0  # seconds to wait for other processes that write
_ENOUGH = 2**18  # bytes; with less free an I/O error is a full disk
#: what SQLite says when the disk or another process is the trouble; all else it says of a file that is not what was written
_OF_THE_DISK = ("full", "disk I/O", "readonly", "unable to open", "locked", "out of memory", "interrupted")
_Row = TypeVar("_Row")


class Journal:
    """The journal of a home. Used by one thread at a time; several processes may have it open.

    Raises:
        TunesmithError: TS-STORE-005 when it was written by another version; from every method: TS-STORE-006 when it is damaged,
            TS-STORE-007 when it was deleted since it was opened, TS-STORE-001 and TS-STORE-004 when the disk won't take what is written.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._identity: tuple[int, int] | None = None
        with self._guarded():
            self._db = sqlite3.connect(home / FILE, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
            self._write_ahead()
        self._identity = _identity(home / FILE)
        self._execute("PRAGMA synchronous=NORMAL")
        self._execute("PRAGMA cell_size_check=ON")
        self._batch = False
        if self._version() != VERSION:
            self._prepare(home / FILE)

    def _write_ahead(self) -> None:
        """SQLite lets every statement wait for other processes but this one, and several may open a new journal at once."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def _version(self) -> int:
        return int(self._fetch("PRAGMA user_version")[0][0])

    def _prepare(self, path: Path) -> None:
        with self.batch():
            version = self._version()  # again, for another process may have been quicker
            if version not in (0, VERSION):
                raise TunesmithError(
                    "TS-STORE-005", f"{path} was written by another Tunesmith (version {version} of it; this one knows {VERSION})",
                    fix=f"Use the Tunesmith that wrote it, or another home with --home. Without it, begin anew: {_aside(self._home)}",
                )  # fmt: skip
            if version == 0:
                for statement in TABLES.split(";"):
                    self._execute(statement)
                self._execute(f"PRAGMA user_version={VERSION}")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """What goes wrong with the file, as an error that a person can use."""
        try:
            yield
        except (sqlite3.Error, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise self._trouble(error) from error

    def _trouble(self, error: Exception) -> TunesmithError:
        if self.gone:
            return gone(self._home)
        ours = isinstance(error, sqlite3.Error) and any(words in str(error) for words in _OF_THE_DISK)
        if not ours or ("readonly" in str(error) and os.access(self._home / FILE, os.W_OK)):
            return TunesmithError(
                "TS-STORE-006", f"The journal {self._home / FILE} is damaged", why=str(error),
                fix=f"Move it away: {_aside(self._home)}. The artifacts stay; what was run is then not known any more, so steps run again.",
            )  # fmt: skip
        # SQLite calls a full disk so only where the database itself grows; for its side files it is an I/O error.
        full = "full" in str(error) or shutil.disk_usage(self._home).free < _ENOUGH
        return disk_error(OSError(errno.ENOSPC if full else errno.EIO, f"the journal: {error}"))

    @property
    def gone(self) -> bool:
        """Whether the file was deleted or moved since it was opened: what is written now is lost, and SQLite may not say so."""
        return self._identity is not None and _identity(self._home / FILE) != self._identity

    def _execute(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        with self._guarded():
            self._db.execute(statement, values)

    def _fetch(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._guarded():
            return self._db.execute(statement, values).fetchall()

    def _rows(self, kind: type[_Row], statement: str, values: tuple[Any, ...] = ()) -> list[_Row]:
        rows = self._fetch(statement, values)
        with self._guarded():
            return [row_of(kind, row) for row in rows]

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Everything within is written together, or not at all."""
        if self._batch:
            yield
            return
        self._execute("BEGIN IMMEDIATE")
        self._batch = True
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk may have ended it already
                self._execute("ROLLBACK")
            raise
        finally:
            self._batch = False

    def close(self) -> None:
        self._db.close()

    # --- runs --------------------------------------------------------------------------------------------------------------------

    def begin_run(self, run: str, pipeline: str, path: str, steps: Iterable[str], *, aside: bool = False) -> None:
        """Note a new run; or, one that goes on, as running again."""
        with self.batch():
            self._execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, NULL, 'running', NULL, ?) "
                "ON CONFLICT (id) DO UPDATE SET state = 'running', finished = NULL, error = NULL",
                (run, pipeline, path, time.time(), aside),
            )  # fmt: skip
            for position, step in enumerate(steps):
                self._execute(
                    "INSERT INTO steps (run, step, position, state) VALUES (?, ?, ?, 'waiting') "
                    "ON CONFLICT (run, step) DO UPDATE SET state = 'waiting', error = NULL", (run, step, position),
                )  # fmt: skip

    def end_run(self, run: str, state: str, error: TunesmithError | None = None) -> None:
        """Note how a run ended, and with it steps that had begun and told no end; or that it stays for its services."""
        finished = None if state == "serving" else time.time()
        self._execute("UPDATE runs SET state = ?, finished = ?, error = ? WHERE id = ?", (state, finished, _error(error), run))
        self._execute("UPDATE steps SET state = ?1, finished = ?2 WHERE run = ?3 AND state = 'running' AND ?2 > 0", (state, finished, run))

    def interrupt_run(self, run: str) -> None:
        """Note that the run's process died, as a run without a living process that calls itself running must have."""
        with self.batch():
            self._execute("UPDATE runs SET state = 'interrupted' WHERE id = ? AND state IN ('running', 'serving')", (run,))
            self._execute("UPDATE steps SET state = 'interrupted' WHERE run = ? AND state IN ('running', 'serving')", (run,))

    def runs(self) -> list[RunRow]:
        """All runs, newest first."""
        return self._rows(RunRow, "SELECT * FROM runs ORDER BY started DESC, id DESC")

    def forget_run(self, run: str) -> None:
        """All that is known of a run, but what it made and of what: lineage stays."""
        with self.batch():
            for table, column in (("runs", "id"), ("steps", "run"), ("progress", "run"), ("decisions", "run"), ("events", "run")):
                self._execute(f"DELETE FROM {table} WHERE {column} = ?", (run,))

    def run(self, run: str) -> RunRow | None:
        return next((row for row in self.runs() if row.id == run), None)

    # --- steps -------------------------------------------------------------------------------------------------------------------

    def begin_step(self, run: str, step: str, key: str, attempt: int) -> None:
        self._execute("DELETE FROM progress WHERE run = ? AND step = ?", (run, step))
        self._execute(
            "UPDATE steps SET key = ?, state = 'running', attempt = ?, cached = 0, started = ?, finished = NULL, artifact = NULL, "
            "error = NULL WHERE run = ? AND step = ?", (key, attempt, time.time(), run, step),
        )  # fmt: skip

    def end_step(
        self, run: str, step: str, state: str, *, key: str = "", artifact: str | None = None, cached: bool = False,
        error: TunesmithError | None = None,
    ) -> None:  # fmt: skip
        now = time.time()
        self._execute(
            "UPDATE steps SET state = ?, key = coalesce(nullif(?, ''), key), artifact = ?, cached = ?, error = ?, finished = ?, "
            "started = CASE WHEN ? OR started IS NULL THEN ? ELSE started END WHERE run = ? AND step = ?",
            (state, key, artifact, cached, _error(error), now, cached, now, run, step),
        )  # fmt: skip

    def steps(self, run: str) -> list[StepRow]:
        """The steps of a run, in the plan's order."""
        return self._rows(
            StepRow, "SELECT run, step, position, key, state, attempt, cached, started, finished, artifact, error FROM steps "
            "WHERE run = ? ORDER BY position", (run,),
        )  # fmt: skip

    # --- progress and lineage ----------------------------------------------------------------------------------------------------

    def lasted(self, pipeline: str, path: str) -> dict[str, float]:
        """Seconds that each step of a pipeline took when it was last run to its end."""
        rows = self._fetch(
            "SELECT step, steps.finished - steps.started FROM steps JOIN runs ON runs.id = steps.run WHERE pipeline = ? AND path = ? "
            "AND steps.state = 'done' AND NOT cached AND steps.started IS NOT NULL ORDER BY runs.started", (pipeline, path),
        )  # fmt: skip
        return {str(step): float(seconds) for step, seconds in rows if seconds is not None}

    def progress(self, run: str, step: str, what: str, done: float, total: float | None, unit: str) -> None:
        """How far a task of a step has come, in place of what was known of it."""
        values = (run, step, what, done, total, unit, time.time())
        self._execute("INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def progress_of(self, run: str) -> list[ProgressRow]:
        """Of all tasks of the run's steps since each last began, the latest last."""
        return self._rows(
            ProgressRow, "SELECT run, step, what, done, total, unit, time FROM progress WHERE run = ? ORDER BY time", (run,)
        )  # fmt: skip

    def trace(self, run: str, step: str, row: CacheRow, *, cached: bool) -> None:
        """Note that a step of a run gave an artifact; noted already (the run goes on after a kill), it stays once."""
        settings = row.producer.get("step", {})
        producer = {name: value for name, value in row.producer.items() if name != "step"}
        self._execute(
            "INSERT OR IGNORE INTO lineage (run, step, key, digest, cached, time, producer, settings, inputs) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run, step, row.key, row.digest, cached, time.time(), *map(json.dumps, (producer, settings, dict(row.inputs)))),
        )  # fmt: skip

    def lineage(self, *, run: str = "", digest: str = "") -> list[LineageRow]:
        """Who gave which artifact, in the order it happened: of a run, of an artifact, or of all."""
        return self._rows(
            LineageRow, "SELECT run, step, key, digest, cached, time, producer, settings, inputs FROM lineage "
            "WHERE (?1 = '' OR run = ?1) AND (?2 = '' OR digest = ?2) ORDER BY number", (run, digest),
        )  # fmt: skip

    # --- cache and series --------------------------------------------------------------------------------------------------------

    def cached(self, key: str) -> CacheRow | None:
        """What answers a key; None where nothing does, or what was noted is not what is there any more."""
        for document, seal in self._fetch("SELECT document, seal FROM cache WHERE key = ?", (key,)):
            if sealed(key, document) == seal:
                return CacheRow(key, **json.loads(document))
        return None

    def remember(self, row: CacheRow) -> None:
        self._execute("INSERT OR REPLACE INTO cache VALUES (?, ?, ?, ?)", (row.key, row.digest, row.document(), row.seal()))

    def forget(self, digests: Iterable[str]) -> None:
        """That these artifacts answer any key: they were deleted, and what needs one makes it again."""
        self._execute("DELETE FROM cache WHERE digest IN (SELECT value FROM json_each(?))", (json.dumps(list(digests)),))

    def remedied(self, key: str) -> tuple[dict[str, Any], str] | None:
        """Settings that worked where those of the key had failed, and why they were taken."""
        for settings, reason in self._fetch("SELECT settings, reason FROM remedies WHERE key = ?", (key,)):
            with self._guarded():
                return dict(json.loads(settings)), str(reason)
        return None

    def remedy(self, key: str, settings: Mapping[str, Any], reason: str) -> None:
        self._execute("INSERT OR REPLACE INTO remedies VALUES (?, ?, ?)", (key, json.dumps(dict(settings)), reason))

    def drop_remedy(self, key: str) -> None:
        """Its settings are to be tried again."""
        self._execute("DELETE FROM remedies WHERE key = ?", (key,))

    def begin_task(self, key: str, task: str, means: str) -> None:
        """Note that the step of a key has begun what others may go on with, and by what means."""
        self._execute("INSERT OR REPLACE INTO begun VALUES (?, ?, ?, ?)", (key, task, means, time.time()))

    def end_task(self, key: str) -> None:
        self._execute("DELETE FROM begun WHERE key = ?", (key,))

    def begun(self, task: str) -> list[tuple[str, str]]:
        """(key, means) of those that have begun a task, the newest first."""
        rows = self._fetch("SELECT key, means FROM begun WHERE task = ? ORDER BY time DESC", (task,))
        return [(str(key), str(means)) for key, means in rows]

    def metric(self, key: str, name: str, at: int, value: float) -> None:
        """A point of a series; the same place again is replaced. NaN is kept as NULL."""
        self._execute("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)", (key, name, at, value))

    def hand_series_on(self, old: str, new: str) -> None:
        """The points of a step that goes on with other settings, which give it another key, stay its own."""
        self._execute("UPDATE OR REPLACE series SET key = ? WHERE key = ?", (new, old))

    def series(self, key: str) -> dict[str, list[tuple[int, float]]]:
        """name -> points in order; values that are no numbers are NaN."""
        found: dict[str, list[tuple[int, float]]] = {}
        for name, at, value in self._fetch("SELECT name, at, value FROM series WHERE key = ? ORDER BY name, at", (key,)):
            with self._guarded():
                found.setdefault(str(name), []).append((int(at), float("nan" if value is None else value)))
        return found

    # --- decisions and events ----------------------------------------------------------------------------------------------------

    def decide(self, run: str, step: str, what: str, reason: str) -> None:
        """Note a decision; one that is noted already (the run goes on after a kill) stays one."""
        self._execute(
            "INSERT OR IGNORE INTO decisions (run, step, what, reason) VALUES (?, ?, ?, ?)", (run, step, what, reason)
        )  # fmt: skip

    def decisions(self, run: str) -> list[tuple[str, str, str]]:
        """(step, what, reason) in the order they were made."""
        rows = self._fetch("SELECT step, what, reason FROM decisions WHERE run = ? ORDER BY number", (run,))
        return [(str(step), str(what), str(reason)) for step, what, reason in rows]

    def event(self, run: str, step: str, kind: str, text: str) -> None:
        """A line of the run's log. Kinds: info, warning, error, and those of the runner (started, finished, ...)."""
        self._execute(
            "INSERT INTO events (run, time, step, kind, text) VALUES (?, ?, ?, ?, ?)", (run, time.time(), step, kind, text)
        )  # fmt: skip

    def events(self, run: str, step: str = "") -> list[tuple[float, str, str, str]]:
        """(time, step, kind, text) in order, of one step or of all."""
        rows = self._fetch(
            "SELECT time, step, kind, text FROM events WHERE run = ?1 AND (?2 = '' OR step = ?2) ORDER BY number", (run, step)
        )
        with self._guarded():
            return [(float(time), str(step), str(kind), str(text)) for time, step, kind, text in rows]


def gone(home: Path) -> TunesmithError:
    return TunesmithError(
        "TS-STORE-007", f"The home {home} was deleted or moved while it was in use", why="What was made since can't be kept.",
        fix="Put it back, or run the pipeline again, which makes a new one. Delete a home only while nothing runs in it.",
    )  # fmt: skip


def _aside(home: Path) -> str:
    """A command that moves the journal away with the files that SQLite keeps beside it."""
    return f"mkdir -p {home}/damaged && mv {home}/{FILE}* {home}/damaged/"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _error(error: TunesmithError | None) -> str | None:
    return json.dumps(error.to_json()) if error else None
