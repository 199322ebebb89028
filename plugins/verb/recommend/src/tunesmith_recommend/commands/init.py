"""`tunesmith init`: a pipeline's file for these rows, recommended, with the reasons as comments."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from tunesmith.errors import UserError
from tunesmith_cli.api import DEFAULT_FILE, Command, run_command, safe, safe_json
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.commands.options import add_wishes, recommendation


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("data", type=Path, metavar="DATA", help="the rows to learn from")
    parser.add_argument("--file", type=Path, default=Path(DEFAULT_FILE), metavar="FILE", help=f"to write (default: ./{DEFAULT_FILE})")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    add_wishes(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_recommend.commands.text import page, pipeline_file

    if args.file.exists() and not args.force:
        raise UserError("TS-RECOMMEND-004", f"{args.file} is there already", fix="Name another one with --file, or write over it: --force.")
    found, wanted = recommendation(args, args.data)
    args.file.write_text(pipeline_file(found, wanted), encoding="utf-8")
    if args.json:
        print(safe_json({"file": str(args.file), **found.to_json()}, 2))
        return 0
    file = "" if str(args.file) == DEFAULT_FILE else f" {args.file}"
    on = f" --on {args.on}" if args.on else ""
    print(safe(page(found, wanted)))
    print(safe("\n" + _("{file} holds this, with the reasons as comments. Next:", file=args.file)))
    print(safe(f"  tunesmith plan{file}{on}      {_('what it will do, and what that needs')}\n  tunesmith run{file}       {_('do it')}"))
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
