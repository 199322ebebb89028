"""Rows of a database: ``sqlite:///PATH?table=NAME`` or ``?query=SELECT ...``, read by the standard library; the addresses of other
databases, as SQLAlchemy writes them, by that.

A database is read, never written: SQLite is opened so that it can't be, and only reading is authorized; of others the statement has to
begin with SELECT or WITH and is rolled back.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import math
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from tunesmith.contracts import Step, UserError
from tunesmith.errors import did_you_mean
from tunesmith_data.api import FoundDataset

PASSWORD = "TUNESMITH_SQL_PASSWORD"
_ADDRESS = re.compile(r"(?P<database>(?P<scheme>[a-z0-9+]+)://(?P<place>[^?#]*))(?:\?(?P<options>.*))?", re.DOTALL)
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_AT_ONCE = 1000  # rows
_EXAMPLE = "Write sqlite:///rows.db?table=NAME, or ?query=SELECT ... in its place."


class Sql:
    """Reads a table, or what a query selects, in the order in which the database gives it."""

    def find(self, address: str, base: Path, step: Step) -> FoundDataset:
        database, place, wanted = _parsed(address)
        what = wanted.get("table") or "query"
        if database.startswith("sqlite://"):
            file = _file(place, base, address)
            with closing(_opened(file)) as connection:
                _statement(connection, wanted, address)
            database = f"sqlite:///{file}"
        return FoundDataset(what, {f"{_safe(what)}.jsonl": 0}, (f"{_safe(what)}.jsonl",), fetch={"database": database, "wanted": wanted})

    def fetch(self, found: FoundDataset, folder: Path, step: Step) -> None:
        database, wanted = found.fetch["database"], found.fetch["wanted"]
        rows = _of_sqlite(database, wanted) if database.startswith("sqlite:///") else _by_sqlalchemy(database, wanted)
        with open(folder / found.rows[0], "w", encoding="utf-8") as lines:
            for number, row in enumerate(rows, 1):
                lines.write(json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False) + "\n")
                if number % _AT_ONCE == 0:
                    step.check_cancelled()
                    step.progress(number, what="reading the database", unit="rows")


def _parsed(address: str) -> tuple[str, str, dict[str, str]]:
    """Database, its place, and ``{"table": ...}`` or ``{"query": ...}``."""
    match = _ADDRESS.fullmatch(address)
    options = dict(parse_qsl(match["options"] or "")) if match else {}
    wanted = {key: options.pop(key) for key in ("table", "query") if key in options}
    if not match or len(wanted) != 1:
        raise UserError("TS-DATA-090", f"`{address}` does not say which rows of a database are meant", fix=_EXAMPLE)
    if ":" in match["place"].rpartition("@")[0]:
        raise UserError("TS-DATA-090", "an address with a password in it would be kept with the run",
                        fix=f"Take the password out of the address, and set {PASSWORD}.")  # fmt: skip
    kept = "?" + "&".join(f"{name}={value}" for name, value in options.items()) if options else ""
    return match["database"] + kept, match["place"], wanted


def _file(place: str, base: Path, address: str) -> Path:
    """SQLAlchemy's way: ``sqlite:///a.db`` is relative, ``sqlite:////srv/a.db`` is not."""
    path = base / os.path.expanduser(unquote(place.removeprefix("/")))
    if not path.is_file():
        names = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UserError("TS-DATA-001", f"There is no database {address}", why=f"It was looked for as {path}.",
                        fix=did_you_mean(path.name, names))  # fmt: skip
    return path.absolute()


def _opened(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    return connection


def _statement(connection: sqlite3.Connection, wanted: dict[str, str], address: str) -> str:
    """What is to be run, after a look at whether it can be.

    Raises:
        UserError: TS-DATA-090.
    """
    try:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")]
    except sqlite3.DatabaseError as error:
        raise UserError("TS-DATA-006", f"{address} can't be read: {error}", fix="Name a file of SQLite.") from None
    if "table" in wanted and wanted["table"] not in tables:
        raise UserError("TS-DATA-090", f"the database has no table `{wanted['table']}`", fix=did_you_mean(wanted["table"], tables))
    statement = wanted.get("query") or f'SELECT * FROM "{wanted["table"].replace(chr(34), chr(34) * 2)}"'
    connection.set_authorizer(lambda action, *rest: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY)
    try:
        connection.execute(f"EXPLAIN {statement}")
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise UserError("TS-DATA-090", f"the query of {address} can't be run", why=f"SQLite says: {error}.",
                        fix="Correct it; one statement that reads is possible, and nothing else.") from None  # fmt: skip
    return statement


def _of_sqlite(database: str, wanted: dict[str, str]) -> Iterator[dict[str, Any]]:
    with closing(_opened(Path(database.removeprefix("sqlite:///")))) as connection:
        cursor = connection.execute(_statement(connection, wanted, database))
        while rows := cursor.fetchmany(_AT_ONCE):
            yield from (dict(row) for row in rows)


def _by_sqlalchemy(database: str, wanted: dict[str, str]) -> Iterator[dict[str, Any]]:
    try:
        import sqlalchemy
    except ImportError:
        raise UserError("TS-DATA-090", f"the library that reads {database.partition('://')[0]} is not installed",
                        fix="pip install 'tunesmith-data[sql]', and the database's driver.") from None  # fmt: skip
    try:
        url = sqlalchemy.make_url(database)
        engine = sqlalchemy.create_engine(url.set(password=os.environ[PASSWORD]) if os.environ.get(PASSWORD) else url)
        if "table" in wanted:
            quoted = engine.dialect.identifier_preparer.quote
            statement = "SELECT * FROM " + ".".join(quoted(part) for part in wanted["table"].split("."))
        else:
            statement = wanted["query"]
        if not re.match(r"\s*(SELECT|WITH)\b", statement, re.IGNORECASE):
            raise UserError("TS-DATA-090", "the query does not read", fix="Write one that begins with SELECT or WITH.")
        with engine.connect().execution_options(stream_results=True, max_row_buffer=_AT_ONCE) as connection:
            for row in connection.execute(sqlalchemy.text(statement)).mappings():
                yield dict(row)
            connection.rollback()
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise UserError("TS-DATA-090", f"{database} can't be read", why=str(error).partition("\n")[0],
                        fix=f"Check the address, the driver and {PASSWORD}.") from None  # fmt: skip


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | bool | int | float | list | dict):
        return value
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value) if isinstance(value, decimal.Decimal) or hasattr(value, "hex") else repr(value)


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]", "-", name)[:80]
