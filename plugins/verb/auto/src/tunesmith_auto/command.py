"""`tunesmith auto`: recommend, show the plan, ask, and carry it out."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from tunesmith.errors import UserError
from tunesmith_cli.api import DEFAULT_FILE, Command, Session, confirmed, file_argument, run_command, safe
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.api import add_wishes

#: options that make it another run of `auto`
_TRIED = ("data", "goal", "task", "budget", "columns", "models", "any_model", "no_load_test", "search")


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="FILE", help="the rows to learn from, where the goal is no sentence that names them")
    add_wishes(parser, cards=False, sentence=True)
    parser.add_argument(
        "--file", type=Path, default=Path(DEFAULT_FILE), metavar="FILE", help=f"pipeline to write (default: ./{DEFAULT_FILE})"
    )
    parser.add_argument("--force", action="store_true", help="write over a pipeline that is there")
    parser.add_argument("--search", type=int, metavar="TRIALS", help="search the learning rate first, in so many short trainings")
    parser.add_argument("--yes", "-y", action="store_true", help="go on without being asked")
    parser.add_argument("--no-load-test", action="store_true", help="put no load on the server")
    parser.add_argument("--no-serve", action="store_true", help="don't keep serving at the end")
    parser.add_argument("--anew", action="store_true", help="forget what was tried before for these rows and wishes")
    parser.add_argument("--json", action="store_true", help="print events as lines of JSON")


def run(args: Namespace) -> int:
    from tunesmith_auto.auto_run import AutoRun
    from tunesmith_auto.goal import asked
    from tunesmith_auto.history import History

    if args.data and not args.data.is_file():
        raise UserError("TS-CLI-002", f"there is no file {args.data}", fix="Name the file with the rows: tunesmith auto --data chats.csv.")
    if not (args.yes or sys.stdin.isatty()):
        raise UserError(
            "TS-AUTO-001", "there is nobody to say yes to the plan", why="Standard input is no terminal.",
            fix="Say it with the command: --yes. `tunesmith init` writes the pipeline and runs nothing.",
        )  # fmt: skip
    if args.search is not None and args.search < 1:
        raise UserError("TS-CLI-002", f"--search {args.search} is no count of trials", fix="Give at least 1, or leave it out.")
    session = Session.open(args.file.parent.absolute())
    data, wishes, request = asked(args, session.registry)
    history = History.of(session.config.home, json.loads(json.dumps([getattr(args, name) for name in _TRIED], default=str)))
    if args.anew:
        history.forget()
    auto = AutoRun(
        session, data, wishes, args.file, history, load_test=not args.no_load_test, trials=args.search or 0, as_json=args.json,
        request=request,
    )  # fmt: skip
    auto.prepare(force=args.force)
    if not args.yes and not _agreed():
        told = _(
            "Nothing was run. {file} holds the pipeline: {command}", file=args.file, command=f"tunesmith run{file_argument(args.file)}"
        )
        print(safe(told))
        return 0
    return auto.carry_out(serve=not args.no_serve)


def _agreed() -> bool:
    try:
        return confirmed("\n" + _("Go on? [y/N]") + " ")
    except KeyboardInterrupt:
        print()
        return False


COMMAND = Command(
    "auto", "from rows to a served model: recommend, train, judge, make smaller, serve, load-test", configure, run,
    (
        ("shows what it will do, and asks", "tunesmith auto --data chats.csv"),
        ("in an hour, small enough for little memory, without asking", "tunesmith auto --data chats.jsonl --goal memory --budget 1h --yes"),
        ("what is wanted, in a sentence", 'tunesmith auto --goal "a customer-service bot from chats.jsonl, QLoRA, in two hours"'),
        ("look for a better learning rate first", "tunesmith auto --data chats.jsonl --search 6"),
        ("train and judge only", "tunesmith auto --data chats.jsonl --yes --no-serve --no-load-test"),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith auto", arguments)
