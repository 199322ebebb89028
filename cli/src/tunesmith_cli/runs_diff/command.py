"""`tunesmith runs diff A B`: settings, rows, environment, metrics with intervals, and answers side by side."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tunesmith.errors import UserError
from tunesmith_cli.chosen_run import chosen_run
from tunesmith_cli.command import Command


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("before", metavar="A", help="id of a run, or its beginning")
    parser.add_argument("after", nargs="?", metavar="B", help="the run to compare with it (default: the last one)")
    parser.add_argument("--all", action="store_true", help="all rows that were answered otherwise, in place of the first few")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_cli.runs_diff.comparison import Comparison
    from tunesmith_cli.runs_diff.text import page
    from tunesmith_cli.untrusted_text import safe_json

    with chosen_run(args.before) as before, chosen_run(args.after) as after:
        if before.row.id == after.row.id:
            raise UserError(
                "TS-CLI-002", f"run {after.row.id} is the last one: there is nothing to compare it with" if args.after is None
                else f"both names mean run {after.row.id}", fix="Name two: tunesmith runs diff A B.",
            )  # fmt: skip
        found = Comparison(before, after)
        print(safe_json(found.to_json(), 2) if args.json else page(found, everything=args.all))
    return 0


COMMAND = Command(
    "diff", "two runs side by side: settings, rows, environment, metrics with intervals, answers", configure, run,
    (
        ("the last run beside an earlier one", "tunesmith runs diff 20260131-0930"),
        ("two certain ones, with all answers that differ", "tunesmith runs diff 20260131-0930 20260131-1012 --all"),
    ),
)  # fmt: skip
