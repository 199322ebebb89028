"""`tunesmith recommend`: which model, method and settings for these rows on this machine, each with its reason."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from tunesmith.errors import UserError
from tunesmith_cli.api import Command, run_command, safe, safe_json
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.commands.evidence import add_evidence, asks_evidence, run_evidence
from tunesmith_recommend.commands.options import add_wishes, options_again, recommendation


def configure(parser: ArgumentParser) -> None:
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("rows", type=Path, nargs="?", metavar="FILE", help="the rows to learn from; --data FILE is the same")
    asked.add_argument("--data", type=Path, metavar="FILE", help="the rows to learn from")
    add_evidence(asked)
    add_wishes(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--yaml", action="store_true", help="print the pipeline's file, with the reasons as comments")
    form.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--all", action="store_true", help="also tell what was looked at and not taken")


def run(args: Namespace) -> int:
    from tunesmith_recommend.commands.text import page, pipeline_file

    args.data = args.data or args.rows
    if args.data is None and not asks_evidence(args):
        raise UserError(
            "TS-CLI-002", "tunesmith recommend: no file of rows is named", why="What is recommended depends on them.",
            fix="Name it: tunesmith recommend train.jsonl. What is known of earlier runs: --track-record.",
        )  # fmt: skip
    if args.data is None:
        return run_evidence(args)
    found, wanted = recommendation(args, args.data)
    if args.json:
        print(safe_json({"data": wanted.data, "goal": wanted.goal, **found.to_json()}, 2))
    else:
        print(safe(pipeline_file(found, wanted) if args.yaml else page(found, wanted, refused=args.all)))
        if not args.yaml:
            command = f"tunesmith init {shlex.quote(str(args.data))}{options_again(args)}"
            print(safe("\n" + _("As a pipeline's file: {command}", command=command)))
    return 0


COMMAND = Command(
    "recommend", "which model, method and settings for these rows on this machine, and why", configure, run,
    (
        ("what would be best here?", "tunesmith recommend --data train.jsonl"),
        ("for a phone, trained on a card that is not here", "tunesmith recommend --data train.jsonl --goal edge --on A10"),
        ("what is possible in an hour, and what was ruled out?", "tunesmith recommend --data train.jsonl --budget 1h --all"),
        ("how good were the predictions of the runs so far?", "tunesmith recommend --track-record"),
        ("what a team knows together", "tunesmith recommend --merge colleague.jsonl"),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith recommend", arguments)
