"""The journal: what was run, what came of it, and which artifact answers which cache key. SQLite, valid after any kill (law L5)."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith.isolation.failures import disk_error
from tunesmith.running.journal_schema import TABLES, VERSION

FILE = "journal.sqlite"
PATIENCE = 30.0  # seconds to wait for other processes that write
_ENOUGH = 2**18  # bytes; with less free an I/O error is a full disk


@dataclass(frozen=True)
class RunRow:
    """A run as the journal knows it. States: running, serving, done, failed, cancelled, interrupted."""

    id: str
    pipeline: str
    path: str
    started: float
    finished: float | None
    state: str
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class StepRow:
    """A step of a run. States: waiting, running, done, failed, cancelled, skipped, interrupted; `artifact` is a digest."""

    run: str
    step: str
    position: int
    key: str
    state: str
    attempt: int
    cached: bool
    started: float | None
    finished: float | None
    artifact: str | None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class CacheRow:
    """What a cache key leads to; `seconds` is how long making it took."""

    key: str
    digest: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0


class Journal:
    """The journal of a home. Used from one thread; several processes may have it open.

    Raises:
        TunesmithError: TS-STORE-005 when it was written by a newer version.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        try:
            self._db = sqlite3.connect(home / FILE, timeout=PATIENCE, isolation_level=None)
            self._write_ahead()
        except sqlite3.DatabaseError as error:
            raise _trouble(error, self._home) from error
        self._execute("PRAGMA synchronous=NORMAL")
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
        return int(self._execute("PRAGMA user_version").fetchone()[0])

    def _prepare(self, path: Path) -> None:
        with self.batch():
            version = self._version()  # again, for another process may have been quicker
            if version > VERSION:
                raise TunesmithError(
                    "TS-STORE-005", f"{path} was written by a newer Tunesmith (version {version}; this one knows {VERSION})",
                    fix="Update tunesmith, or use another home with --home.",
                )  # fmt: skip
            if version == 0:
                for statement in TABLES.split(";"):
                    self._execute(statement)
                self._execute(f"PRAGMA user_version={VERSION}")

    def _execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.DatabaseError as error:
            raise _trouble(error, self._home) from error

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

    def begin_run(self, run: str, pipeline: str, path: str, steps: Iterable[str]) -> None:
        """Note a new run; or, one that goes on, as running again."""
        with self.batch():
            self._execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, NULL, 'running', NULL) "
                "ON CONFLICT (id) DO UPDATE SET state = 'running', finished = NULL, error = NULL", (run, pipeline, path, time.time()),
            )  # fmt: skip
            for position, step in enumerate(steps):
                self._execute(
                    "INSERT INTO steps (run, step, position, state) VALUES (?, ?, ?, 'waiting') "
                    "ON CONFLICT (run, step) DO UPDATE SET state = 'waiting', error = NULL", (run, step, position),
                )  # fmt: skip

    def end_run(self, run: str, state: str, error: TunesmithError | None = None) -> None:
        finished = None if state == "serving" else time.time()
        self._execute("UPDATE runs SET state = ?, finished = ?, error = ? WHERE id = ?", (state, finished, _error(error), run))

    def interrupt_run(self, run: str) -> None:
        """Note that the run's process died, as a run without a living process that calls itself running must have."""
        with self.batch():
            self._execute("UPDATE runs SET state = 'interrupted' WHERE id = ? AND state IN ('running', 'serving')", (run,))
            self._execute("UPDATE steps SET state = 'interrupted' WHERE run = ? AND state IN ('running', 'serving')", (run,))

    def runs(self) -> list[RunRow]:
        """All runs, newest first."""
        rows = self._execute("SELECT id, pipeline, path, started, finished, state, error FROM runs ORDER BY started DESC, id DESC")
        return [RunRow(*(*row[:6], _load(row[6]))) for row in rows]

    def run(self, run: str) -> RunRow | None:
        return next((row for row in self.runs() if row.id == run), None)

    # --- steps -------------------------------------------------------------------------------------------------------------------

    def begin_step(self, run: str, step: str, key: str, attempt: int) -> None:
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
        rows = self._execute(
            "SELECT run, step, position, key, state, attempt, cached, started, finished, artifact, error FROM steps WHERE run = ? "
            "ORDER BY position", (run,),
        )  # fmt: skip
        return [StepRow(*(*row[:6], bool(row[6]), *row[7:10], _load(row[10]))) for row in rows]

    # --- cache and series --------------------------------------------------------------------------------------------------------

    def cached(self, key: str) -> CacheRow | None:
        row = self._execute("SELECT key, digest, metrics, seconds FROM cache WHERE key = ?", (key,)).fetchone()
        return CacheRow(row[0], row[1], json.loads(row[2]), row[3]) if row else None

    def remember(self, row: CacheRow) -> None:
        self._execute(
            "INSERT OR REPLACE INTO cache VALUES (?, ?, ?, ?, ?)",
            (row.key, row.digest, json.dumps(dict(row.metrics)), row.seconds, time.time()),
        )  # fmt: skip

    def forget(self, key: str) -> None:
        self._execute("DELETE FROM cache WHERE key = ?", (key,))

    def metric(self, key: str, name: str, at: int, value: float) -> None:
        """A point of a series; the same place again is replaced. NaN is kept as NULL."""
        self._execute("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)", (key, name, at, value))

    def drop_series(self, key: str) -> None:
        """Forget the points of a step that starts over."""
        self._execute("DELETE FROM series WHERE key = ?", (key,))

    def series(self, key: str) -> dict[str, list[tuple[int, float]]]:
        """name -> points in order; values that are no numbers are NaN."""
        found: dict[str, list[tuple[int, float]]] = {}
        for name, at, value in self._execute("SELECT name, at, value FROM series WHERE key = ? ORDER BY name, at", (key,)):
            found.setdefault(name, []).append((at, float("nan") if value is None else value))
        return found

    # --- decisions and events ----------------------------------------------------------------------------------------------------

    def decide(self, run: str, step: str, what: str, reason: str) -> None:
        """Note a decision; one that is noted already (the run goes on after a kill) stays one."""
        self._execute(
            "INSERT OR IGNORE INTO decisions (run, step, what, reason) VALUES (?, ?, ?, ?)", (run, step, what, reason)
        )  # fmt: skip

    def decisions(self, run: str) -> list[tuple[str, str, str]]:
        """(step, what, reason) in the order they were made."""
        return self._execute("SELECT step, what, reason FROM decisions WHERE run = ? ORDER BY number", (run,)).fetchall()

    def event(self, run: str, step: str, kind: str, text: str) -> None:
        """A line of the run's log. Kinds: info, warning, error, and those of the runner (started, finished, ...)."""
        self._execute(
            "INSERT INTO events (run, time, step, kind, text) VALUES (?, ?, ?, ?, ?)", (run, time.time(), step, kind, text)
        )  # fmt: skip

    def events(self, run: str, step: str = "") -> list[tuple[float, str, str, str]]:
        """(time, step, kind, text) in order, of one step or of all."""
        return self._execute(
            "SELECT time, step, kind, text FROM events WHERE run = ?1 AND (?2 = '' OR step = ?2) ORDER BY number", (run, step)
        ).fetchall()


def _trouble(error: sqlite3.DatabaseError, home: Path) -> TunesmithError:
    if "not a database" in str(error) or "malformed" in str(error):
        return TunesmithError(
            "TS-STORE-006", f"The journal {home / FILE} is damaged", why=str(error),
            fix=f"Move it away: mv {home / FILE} {home / FILE}.damaged. The artifacts stay; what was run is then not known any more.",
        )  # fmt: skip
    # SQLite calls a full disk so only where the database itself grows; for its side files it is an I/O error.
    full = "full" in str(error) or shutil.disk_usage(home).free < _ENOUGH
    return disk_error(OSError(errno.ENOSPC if full else errno.EIO, f"the journal: {error}"))


def _error(error: TunesmithError | None) -> str | None:
    return json.dumps(error.to_json()) if error else None


def _load(text: str | None) -> Any:
    return json.loads(text) if text else None
