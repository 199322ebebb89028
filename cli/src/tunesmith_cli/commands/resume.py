"""`tunesmith resume`: go on with a run from where it was."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tunesmith_cli.command import Command
from tunesmith_cli.launch import Session, add_run_options


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="id of the run, or its beginning (default: the last unfinished one)")
    add_run_options(parser)


def run(args: Namespace) -> int:
    from tunesmith.config import find_home
    from tunesmith.running.resume import check_providers, find_run

    name, plan = find_run(find_home(), args.run)
    session = Session.open(plan.path or plan.base)
    check_providers(name, plan, session.registry)
    return session.carry_out(plan, args, resume=name).exit_status


COMMAND = Command(
    "resume", "go on with a run that was stopped or killed", configure, run,
    (
        ("the last run that did not finish", "tunesmith resume"),
        ("a certain one; `tunesmith runs list` has their names", "tunesmith resume 20260131-0930"),
    ),
)  # fmt: skip
