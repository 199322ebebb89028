"""`tunesmith ask`: a sentence becomes a pipeline, which is shown, asked about and, after a yes, run."""

from __future__ import annotations

import os
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import UserError
from tunesmith_ask import ASK
from tunesmith_cli.api import DEFAULT_FILE, Command, Session, confirmed, run_command, safe, safe_json, translated, write_whole
from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import main as tunesmith

if TYPE_CHECKING:
    from tunesmith_ask.pipeline import Answer
    from tunesmith_ask.request import Request


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("sentence", metavar="SENTENCE", help="what you want, in English or Chinese")
    parser.add_argument("--data", default="", metavar="FILE", help="the rows to learn from, where the sentence names none")
    parser.add_argument(
        "--file", type=Path, default=Path(DEFAULT_FILE), metavar="FILE", help=f"to write before running (default: ./{DEFAULT_FILE})"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    parser.add_argument("--models", type=Path, metavar="FILE", help="a catalogue of your own models (docs/recommend.md)")
    parser.add_argument("--any-model", action="store_true", help="don't ask whether the model can be fetched from here")
    parser.add_argument("--yes", action="store_true", help="write and run it without asking")
    parser.add_argument("--no-serve", action="store_true", help="don't keep serving at the end")
    group = parser.add_argument_group("read by a language model, in place of rules")
    group.add_argument(
        "--endpoint", default="", metavar="URL", help="an OpenAI API that keeps answers to a JSON schema: http://127.0.0.1:8000/v1"
    )
    group.add_argument("--model", default="", metavar="NAME", help="the model's name there")
    group.add_argument("--key-env", default="", metavar="NAME", help="environment variable that holds a key for it")
    parser.add_argument("--json", action="store_true", help="print JSON, and run nothing")


def run(args: Namespace) -> int:
    from tunesmith_ask.pipeline import answer, plain
    from tunesmith_recommend.api import check_place

    if bool(args.endpoint) != bool(args.model):
        fix = "Name both: --endpoint http://127.0.0.1:8000/v1 --model NAME."
        raise UserError("TS-CLI-002", "--endpoint and --model go together", fix=fix)
    if args.key_env and not args.endpoint:
        raise UserError("TS-CLI-002", "--key-env names a key for --endpoint, which is not given", fix="Name both, or leave --key-env out.")
    asking = not (args.yes or args.json) and sys.stdin.isatty() and sys.stdout.isatty()
    if asking or (args.yes and not args.json):  # it may be written
        check_place(args.file, force=args.force)
    session = Session.open()
    request = _understood(args, session)
    if not args.json:
        _tell(request)
    request = plain(_asked(request) if asking else request)
    found = answer(request, session.registry, models=args.models, any_model=args.any_model, folder=args.file.parent)
    if args.json:
        print(safe_json({"understood": request.to_json(), **found.found.to_json(), "remarks": [*found.remarks, *found.found.remarks]}, 2))
        return 0
    _show(found)
    elsewhere = bool(request.on) and not found.here
    question = _("Write {file} and run it?", file=args.file)
    if elsewhere:
        question = _("Write {file}? It is for {cards}, and is not run here.", file=args.file, cards=request.on)
    if not (args.yes or (asking and confirmed(f"\n{question} [y/N] "))):
        print("\n" + (_("Nothing was written or run.") if asking else _("Nothing was written or run. --yes does it.")))
        return 0
    return _carry_out(args, found, elsewhere)


def _asked(request: Request) -> Request:
    """The request with what its user says to what it leaves open."""
    if request.files:
        files = (request.data, *request.files)
        said = _said(_("Which file has the rows to learn from: {files}?", files=", ".join(files)) + " ")
        request = replace(request, data=said if said in files else "", files=())
    if not (request.data and Path(request.data).is_file()):
        request = replace(request, data=_said(_("Which file has the rows to learn from?") + " "))
    if request.either:
        said = _said(_("Which card: {cards}?", cards=_(" or ").join(request.either)) + " ").casefold()
        found = [one for one in request.either if said and said in one.casefold()]
        request = replace(request, on=found[0], either=()) if len(found) == 1 else request
    return request


def _said(question: str) -> str:
    """What is typed; empty where nobody types any more."""
    try:
        return input(question).strip()
    except EOFError:
        return ""


def _understood(args: Namespace, session: Session) -> Request:
    from tunesmith_ask.rules import sentence
    from tunesmith_ask.vocabulary import Vocabulary

    known = Vocabulary.of(session.registry, args.models)
    if args.endpoint:
        from tunesmith_ask.endpoint import answer
        from tunesmith_ask.endpoint.client import Endpoint

        request = answer.read(args.sentence, known, Path(), Endpoint(args.endpoint, args.model, _key(args.key_env)))
    else:
        request = sentence.read(args.sentence, known, Path())
    return replace(request, data=args.data, files=()) if args.data else request


def _key(variable: str) -> str:
    """
    Raises:
        UserError: TS-ASK-003 when the variable that is to hold it is empty.
    """
    if variable and not os.environ.get(variable):
        raise UserError("TS-ASK-003", f"${variable} holds no key", fix=f"export {variable}=..., or leave --key-env out.")
    return os.environ[variable] if variable else ""


def _tell(request: Request) -> None:
    print(safe(request.page) + "\n")


def _show(found: Answer) -> None:
    from tunesmith_recommend.api import pipeline_file

    print(safe(pipeline_file(found.found, found.wanted)))
    for remark in (*found.remarks, *found.found.remarks):
        print(safe(f"! {translated(remark)}"))


def _carry_out(args: Namespace, found: Answer, elsewhere: bool) -> int:
    from tunesmith_recommend.api import pipeline_file

    write_whole(args.file, pipeline_file(found.found, found.wanted))
    there = " " + _("There: {command}", command=f"tunesmith run {shlex.quote(str(args.file))}") if elsewhere else ""
    print(safe("\n" + _("{file} is written.", file=args.file) + there))
    return 0 if elsewhere else tunesmith(["run", str(args.file), *(["--no-serve"] if args.no_serve else [])])


COMMAND = Command(
    "ask", ASK, configure, run,
    (
        ("what would that be?", 'tunesmith ask "a customer-service bot from chats.jsonl, on two A10"'),
        ("the same in Chinese", 'tunesmith ask "用 chats.jsonl 训练一个客服机器人,两张A10,四小时内"'),
        ("for a script", 'tunesmith ask "QLoRA on chats.jsonl, 2 epochs" --yes'),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith ask", arguments)
