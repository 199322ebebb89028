"""`tunesmith data fix`: a copy of a data file without the rows that should not be trained on."""

from __future__ import annotations

import contextlib
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import UserError
from tunesmith_cli.api import Command, add_columns, add_filter, columns, safe, safe_json, typed
from tunesmith_cli.api import gettext as _
from tunesmith_data.commands.rows import ROWS, add_against_filter, add_tokens, line_numbers, named_rows, path_of_rows, rows_of, session_for

if TYPE_CHECKING:
    from tunesmith_data.fixed_copy import FixedCopy

_SHOWN = 10  # rows of each reason, without --all
_OPTIONAL = ("empty", "duplicate")


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=named_rows, metavar="FILE", help=ROWS)
    parser.add_argument(
        "--output", "-o", type=Path, metavar="FILE", help="write the rows that are left, as JSON Lines (default: only tell)"
    )
    add_columns(parser)
    add_filter(parser)
    parser.add_argument("--keep", action="append", default=[], choices=_OPTIONAL, help="leave such rows in; may be given twice")
    parser.add_argument(
        "--near", action="store_true", help="leave out rows that are nearly an earlier one, too (Jaccard's index from 0.8 on)"
    )
    parser.add_argument("--against", type=named_rows, metavar="FILE", help="leave out rows that are among these for evaluation, or nearly")
    add_against_filter(parser)
    count = typed({"type": "integer", "minimum": 0})
    parser.add_argument("--min-characters", type=count, metavar="N", help="leave out rows whose texts have fewer")
    parser.add_argument("--max-characters", type=count, metavar="N", help="leave out rows whose texts have more")
    parser.add_argument(
        "--language", action="append", default=[], metavar="CODE",
        help="leave out rows in another language: en, zh, ...; may be given twice. What can't be told stays",
    )  # fmt: skip
    parser.add_argument("--without", type=line_numbers, default=frozenset(), metavar="LINES", help="leave out these lines: 3,17,90-95")
    add_tokens(parser, "leave out rows of which something is told by the tokens of this model")
    parser.add_argument("--mask-pii", action="store_true", help="put [EMAIL], [PHONE], [CARD] ... in the place of personal data")
    parser.add_argument("--all", action="store_true", help="show all rows that are left out, not only the first ten of each")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_data.check.worker import RowCheck
    from tunesmith_data.commands.tokens import unfit_rows
    from tunesmith_data.fixed_copy import Wanted, fixed_copy, lines_left

    if args.output and args.output.exists():
        raise UserError("TS-DATA-086", f"{args.output} is there already", fix="Name another file for the copy, or remove that one.")
    if args.output and not args.output.parent.is_dir():
        raise UserError("TS-DATA-086", f"there is no folder {args.output.parent}", fix="Make it, or name another file with --output.")
    session = session_for(args.file, args.against)
    with session.reading() as planner:
        path, named = rows_of(args, planner)
        unfit = unfit_rows(session, planner, path, named, args) if args.model else {}
        found = fixed_copy(
            path, planner.installed("dataset_format"), columns=named, check=RowCheck(planner), roots=planner.roots, keep=args.keep,
            near=args.near, against=path_of_rows(args.against, planner),
            against_filter=args.against_filter, mask=args.mask_pii,
            wanted=Wanted(args.min_characters, args.max_characters, tuple(args.language)), without=args.without, tokens=unfit,
        )  # fmt: skip
    if args.output:
        aside = args.output.with_name(f".{args.output.name}.{os.getpid()}")
        try:
            with open(aside, "w", encoding="utf-8") as file:
                file.writelines(lines_left(path, named, found))
            os.replace(aside, args.output)
        except OSError as error:
            fix = "Name a file in a folder that you may write to."
            raise UserError("TS-DATA-086", f"{args.output} can't be written", why=error.strerror or str(error), fix=fix) from None
        finally:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
    if args.json:
        told = {"format": found.format, "rows": found.rows, "kept": found.kept, "output": str(args.output or "")}
        told |= {} if found.masked is None else {"masked": found.masked}
        print(safe_json({**told, "left_out": found.left_out}, 2))
    else:
        print(text(args.file, found, args.output, 10**9 if args.all else _SHOWN))
    return 0 if found.kept else 1


def text(path: str, found: FixedCopy, output: Path | None, shown: int) -> str:
    """What is left out and why, as a page."""
    titles = {
        "named": _("named with --without"), "tokens": _("told of by the model's tokens"),
        "filter": _("not what the filter asks for"),
        "broken": _("broken"), "empty": _("empty"), "length": _("too short or too long"), "language": _("in another language"),
        "duplicate": _("there before"), "near-duplicate": _("nearly there before"),
        "evaluation": _("among the rows for evaluation"),
    }  # fmt: skip
    lines = [_("{path}: {rows} rows of {format}, {kept} are left", path=path, rows=found.rows, format=found.format, kept=found.kept)]
    for reason, entries in found.left_out.items():
        lines += ["", f"{titles[reason]}: {len(entries)}"] if entries else []
        lines += [columns([(_("line {line}", line=line), what) for line, what in entries[:shown]], "  ")] if entries else []
        lines += ["  " + _("... {count} more (--all, --json)", count=len(entries) - shown)] if len(entries) > shown else []
    for kind, numbers in (found.masked or {}).items():
        at = ", ".join(map(str, numbers[:shown])) + (", ..." if len(numbers) > shown else "")
        lines += ["", _("masked as [{kind}]: {count} rows, lines {lines}", kind=kind.upper(), count=len(numbers), lines=at)]
    lines += [""]
    if output:
        lines.append(_("written: {path}", path=output))
    else:
        lines.append(_("nothing is written; with --output FILE the rows that are left are"))
    return safe("\n".join(lines))


COMMAND = Command(
    "fix", "a copy without rows that are broken, empty or there twice", configure, run,
    (
        ("what would be left out", "tunesmith data fix train.jsonl"),
        ("a copy with personal data masked", "tunesmith data fix train.jsonl --mask-pii -o clean.jsonl"),
        ("a copy without questions of an evaluation", "tunesmith data fix train.jsonl --against held-out.jsonl -o clean.jsonl"),
    ),
)  # fmt: skip
