"""`tunesmith wizard`, and `tunesmith` alone."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith_cli.api import Command, Session, run_command
from tunesmith_cli.api import gettext as _
from tunesmith_wizard import WIZARD

if TYPE_CHECKING:
    from tunesmith.config import Config


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("--answers", type=Path, metavar="FILE", help="answers that were kept; what it does not answer is asked")
    parser.add_argument("--save-answers", type=Path, metavar="FILE", help="keep the answers there, to be replayed")
    parser.add_argument("--plain", action="store_true", help="numbered lines in place of menus (default on a dumb terminal)")


def run(args: Namespace) -> int:
    from tunesmith_wizard.answers import Answers, read_answers, write_answers
    from tunesmith_wizard.flows.menu import menu
    from tunesmith_wizard.front import front
    from tunesmith_wizard.interview import Interview

    session = Session.open()
    there = sys.stdin.isatty() and sys.stdout.isatty()
    given = read_answers(args.answers) if args.answers else {}
    answers = Answers(given, str(args.answers or ""), journal_of(session.config))
    interview = Interview(answers, front(args.plain), there=there)
    try:
        status = menu(interview, session)
    except KeyboardInterrupt:
        interview.front.print()
        if answers.told and answers.journal:
            interview.say(_("Stopped; nothing is lost. `tunesmith` offers to go on from here."), "warn")
        else:
            interview.say(_("Stopped; nothing was begun."), "warn")
        return 130
    finally:
        if args.save_answers:
            write_answers(args.save_answers, answers.told)
    if not status:
        answers.done()
    return status


def journal_of(config: Config) -> Path:
    """What somebody answered who has not come to an end, for each home: beside caches, for a home may not be there yet."""
    return config.cache / "wizard" / f"{sha256(str(config.home).encode()).hexdigest()[:16]}.yaml"


COMMAND = Command(
    "wizard", WIZARD, configure, run,
    (
        ("ask me", "tunesmith wizard"),
        ("keep what I answer, and do the same again without me", "tunesmith wizard --save-answers answers.yaml"),
        ("in CI", "tunesmith wizard --answers answers.yaml"),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith wizard", arguments)
