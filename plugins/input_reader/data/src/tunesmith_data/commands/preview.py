"""`tunesmith data preview`: the rows of a file as the tokens that a model would learn from."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.errors import UserError
from tunesmith_cli.api import Command, add_columns, add_filter, colored, safe_json, token_page, typed
from tunesmith_data.commands.rows import ROWS, named_rows, rows_of, session_for

_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=named_rows, metavar="FILE", help=ROWS)
    parser.add_argument(
        "--model", required=True, metavar="URI", help="whose tokenizer and chat template: scheme://place, or a local directory"
    )
    add_columns(parser)
    add_filter(parser)
    parser.add_argument("--objective", default="", metavar="NAME", help="what the rows teach (default: what fits them)")
    parser.add_argument(
        "--row", type=typed(_COUNT), action="append", metavar="N", help="this row, from 1; give it again for more (default 1)"
    )
    parser.add_argument(
        "--max-length", type=typed(_COUNT), default=2048, metavar="N", help="tokens that training would take (default 2048)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON: an object a row, then one of statistics")


def run(args: Namespace) -> int:
    """Exit status 1 if a row can't be used or its labels look wrong."""
    from tunesmith_data.commands.tokens import shown_tokens

    session = session_for(args.file)
    wanted = args.row or [1]
    with session.reading() as planner:
        path, named = rows_of(args, planner)
    _look_for(wanted, path, args.file)
    settings = {"rows": wanted, "max_length": args.max_length}
    rows, total = shown_tokens(session, path, named, args.model, args.objective, settings)
    if args.json:
        print("\n".join(map(safe_json, [*rows, total])))
    else:
        print(token_page(rows, total, colours=colored(sys.stdout)))
    return int(any("error" in row or any(sequence["doubts"] for sequence in row["sequences"]) for row in rows))


def _look_for(wanted: Sequence[int], file: Path, name: str) -> None:
    """
    Args:
        name: of the file, as it was typed.

    Raises:
        UserError: TS-DATA-044 when the file has no such row, before anything is begun; other mistakes are told by the plan.
    """
    from tunesmith_data.line import NotRows
    from tunesmith_data.rows_file import read_file

    try:
        count = sum(1 for _ in islice((line for line in read_file(file) if line.row is not None or line.problem), max(wanted)))
    except (OSError, ValueError, NotRows):
        return
    if missing := [number for number in wanted if number > count > 0]:
        raise UserError("TS-DATA-044", f"There is no row {missing[0]}: {name} has {count}", fix="Ask for one of those.")


COMMAND = Command(
    "preview", "rows as the tokens that a model would learn from, coloured by label", configure, run,
    (
        ("what would the model learn from the first row?", "tunesmith data preview train.jsonl --model ./model"),
        ("a pair of answers, and another row", "tunesmith data preview pairs.jsonl --model ./model --row 1 --row 7"),
    ),
)  # fmt: skip
