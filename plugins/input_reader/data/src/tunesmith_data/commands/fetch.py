"""`tunesmith data fetch`: rows that lie elsewhere, brought onto this machine once, whatever their size."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tunesmith_cli.api import Command, safe, safe_json, size
from tunesmith_cli.api import gettext as _


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="ADDRESS", help="of a dataset source, such as hf://datasets/OWNER/NAME:CONFIGURATION/SPLIT")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_data.commands.rows import session_for
    from tunesmith_data.sources.fetched import local

    session = session_for(args.file)
    with session.reading() as planner:
        found = local(args.file, planner, most=0)
    total = sum(path.stat().st_size for path in found.path.parent.rglob("*") if path.is_file())
    if args.json:
        print(safe_json({"address": args.file, "path": str(found.path), "bytes": total, "columns": dict(found.columns)}, 2))
    else:
        print(safe(_("{address}: {size}, in {path}", address=args.file, size=size(total), path=found.path)))
    return 0


COMMAND = Command(
    "fetch", "rows that lie elsewhere, onto this machine", configure, run,
    (
        ("a dataset that is too large for a plan to fetch by itself", "tunesmith data fetch hf://datasets/openai/gsm8k:main/train"),
        ("where it lies, for a program", "tunesmith data fetch s3://bucket/rows/*.parquet --json"),
    ),
)  # fmt: skip
