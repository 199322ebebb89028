"""`tunesmith plugin check`: does a plugin keep what its kind promises?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tunesmith.errors import UserError
from tunesmith_cli.api import Command


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", nargs="?", default=Path(), help="the plugin's source folder (default: here)")
    parser.add_argument("--only", action="append", default=[], metavar="ID", help="a check, or the beginning of its id; may be repeated")
    parser.add_argument(
        "--env", choices=("auto", "host", "isolated"), default="auto",
        help="where its workers run; isolated: in an isolated environment, built if need be (default: where the plugin would run)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--badge", type=Path, metavar="FILE", help="write the level as a picture (.svg) or a line of Markdown (.md)")


def run(args: Namespace) -> int:
    from tunesmith_sdk.conformance.examination import conform
    from tunesmith_sdk.conformance.report import badge, progress
    from tunesmith_sdk.conformance.report.table import table

    if args.badge and args.only:
        raise UserError("TS-PLUGIN-012", "a badge says what came of all checks", fix="Leave out `--only`, or `--badge`.")
    with progress.line(sys.stderr) as tell:
        report = conform(args.path, env=args.env, only=args.only, tell=tell)
    print(json.dumps(report.to_json(), indent=2) if args.json else table(report))
    if args.badge:
        badge.write(report, args.badge)
    return 0 if report.ok else 1


CHECK = Command(
    "check", "does a plugin keep what its kind promises?", configure, run,
    examples=(
        ("everything that can be checked here", "tunesmith plugin check ."),
        ("one check", "tunesmith plugin check . --only wheel.has-manifest"),
    ),
)  # fmt: skip
