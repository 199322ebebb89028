"""`tunesmith plan`: everything that can be decided before compute is spent (law L4)."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tunesmith.cli.command import Command
from tunesmith.cli.launching import DEFAULT_FILE, Session, add_judgement, as_asked
from tunesmith.cli.pipeline_file import add_file, load


def configure(parser: ArgumentParser) -> None:
    add_file(parser)
    add_judgement(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    spec = as_asked(load(args.file, args.set), args)
    session = Session.open(spec.place)
    session.show(session.plan(spec, args.strict), args.json)
    return 0


COMMAND = Command(
    "plan", "show what a pipeline will do, what it needs and why; computes nothing", configure, run,
    (
        (f"the pipeline in ./{DEFAULT_FILE}", "tunesmith plan"),
        ("what would another value change?", "tunesmith plan --set steps.tune.settings.epochs=3"),
    ),
)  # fmt: skip
