"""Rows as a command is given them: a file, a directory, or an address of a dataset source."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith_data.sources.address import is_address

if TYPE_CHECKING:
    from tunesmith.contracts.kinds.input_reader import Planner
    from tunesmith_cli.api import Session

ROWS = "rows: a file, a directory, or an address such as hf://datasets/OWNER/NAME"


def named_rows(text: str) -> str:
    """Type of an argument that names rows: any word but the empty one, which is no directory."""
    if not text:
        raise ArgumentTypeError("is empty; it should be a path or an address")
    return text


def line_numbers(text: str) -> frozenset[int]:
    """Type of an argument that names lines: ``3,17,90-95``."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() or not dash)):
            raise ArgumentTypeError(f"should be numbers of lines, as in 3,17,90-95; got {part!r}")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def add_tokens(parser: ArgumentParser, what: str) -> None:
    """The options by which rows are looked at as a model reads them."""
    from tunesmith_cli.api import typed

    parser.add_argument("--model", metavar="URI", help=f"{what}: scheme://place, or a local directory (default: by characters)")
    parser.add_argument("--objective", default="", metavar="NAME", help="with --model: what the rows teach (default: what fits them)")
    parser.add_argument(
        "--max-length", type=typed({"type": "integer", "minimum": 2}), default=2048, metavar="N",
        help="with --model: tokens that training would take (default 2048)",
    )  # fmt: skip


def add_against_filter(parser: ArgumentParser) -> None:
    """The rows for evaluation that are meant; those of the data are `--filter`."""
    parser.add_argument(
        "--against-filter", default="", metavar="EXPRESSION", help="with --against: only the rows of that file that this is true of"
    )


def against_words(args: Namespace) -> list[str]:
    """Both options as they were typed."""
    words = ["--against", args.against] if args.against else []
    return words + (["--against-filter", args.against_filter] if args.against_filter else [])


def session_for(*texts: str | None) -> Session:
    """A session under the policies of the projects in which the files lie."""
    from tunesmith_cli.api import Session

    return Session.open(beside=[Path(text) for text in texts if text and not is_address(text)])


def rows_of(args: Namespace, planner: Planner) -> tuple[Path, Mapping[str, str]]:
    """The file of rows that `args.file` names, and its columns (those given, else those known of it) with the filter.

    Raises:
        TunesmithError: why they can't be had.
    """
    from tunesmith_cli.api import columns_given, filter_given
    from tunesmith_data.shape.rows import shape_of
    from tunesmith_data.sources.fetched import local

    found = local(args.file, planner)
    return found.path, shape_of(columns_given(args) or found.columns, filter_given(args))


def path_of_rows(text: str | None, planner: Planner) -> Path | None:
    """The same of rows that are compared with; None where there are none."""
    from tunesmith_data.sources.fetched import local

    return local(text, planner).path if text else None
