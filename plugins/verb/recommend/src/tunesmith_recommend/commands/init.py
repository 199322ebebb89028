"""`tunesmith init`: a pipeline's file for these rows, recommended, with the reasons as comments."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from tunesmith_cli.api import DEFAULT_FILE, Command, columns, file_argument, run_command, safe, safe_json, write_whole
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.commands.options import add_wishes, options_again, recommendation
from tunesmith_recommend.commands.pipeline_place import check_place


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("data", type=Path, metavar="DATA", help="the rows to learn from")
    parser.add_argument("--file", type=Path, default=Path(DEFAULT_FILE), metavar="FILE", help=f"to write (default: ./{DEFAULT_FILE})")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    add_wishes(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_recommend.commands.text import page, pipeline_file

    check_place(args.file, force=args.force)
    found, wanted = recommendation(args, args.data, args.file.parent)
    write_whole(args.file, pipeline_file(found, wanted))
    if args.json:
        print(safe_json({"file": str(args.file), **found.to_json()}, 2))
        return 0
    file, cards = file_argument(args.file), options_again(args, ("on", "cards"))
    print(safe(page(found, wanted)))
    print(safe("\n" + _("{file} holds this, with the reasons as comments. Next:", file=args.file)))
    next_ones = ((f"tunesmith plan{file}{cards}", _("what it will do, and what that needs")), (f"tunesmith run{file}", _("do it")))
    print(columns(next_ones, "  "))
    return 0


COMMAND = Command(
    "init", "write a pipeline's file for these rows, with the reasons as comments", configure, run,
    (
        ("from rows to a pipeline", "tunesmith init train.jsonl"),
        ("one that uses little memory, in a file of its own", "tunesmith init train.jsonl --goal memory --file small.yaml"),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith init", arguments)
