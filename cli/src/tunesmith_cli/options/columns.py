"""``--columns instruction=question,output=answer``: which column of a file is the one that a format wants."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from tunesmith.errors import UserError

_EXAMPLE = "Write for example --columns instruction=question,output=answer"
_COMMA = f"{_EXAMPLE}. A name with a comma or = in it can be given in a pipeline: data: {{path: FILE, columns: {{WANTED: 'a, b'}}}}"


def add_columns(parser: Any) -> None:
    parser.add_argument(
        "--columns", action="append", default=[], metavar="WANTED=COLUMN,...",
        help="which column of the file is the one that a format wants; again for more",
    )  # fmt: skip


def add_filter(parser: Any) -> None:
    parser.add_argument(
        "--filter",
        default="",
        metavar="EXPRESSION",
        help="only the rows that this is true of, by their columns: 'score|int >= 4 and lang == \"en\"'",
    )


def filter_given(args: Namespace) -> str:
    """The expression; empty: all rows."""
    return str(getattr(args, "filter", "") or "").strip()


def rows_given(path: str, args: Namespace) -> Any:
    """A file of rows read so, as a pipeline would have it."""
    more: dict[str, Any] = {"columns": columns_given(args), "filter": filter_given(args)}
    more = {name: value for name, value in more.items() if value}
    return {"path": path, **more} if more else path


def columns_given(args: Namespace) -> dict[str, str]:
    """Wanted name -> name in the file.

    Raises:
        UserError: TS-CLI-002 for what is no pair of names, or names a column twice.
    """
    found: dict[str, str] = {}
    for pair in (pair for text in getattr(args, "columns", None) or () for pair in text.split(",")):
        name, _, column = (part.strip() for part in pair.partition("="))
        if not name or not column:
            raise UserError("TS-CLI-002", f"--columns {pair} should be two names with = between", fix=_COMMA)
        if name in found or column in found.values():
            raise UserError("TS-CLI-002", f"--columns {pair} says it twice of one column", fix=_EXAMPLE)
        found[name] = column
    return found
