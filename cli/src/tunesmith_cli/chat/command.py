"""`tunesmith chat`: talk to an endpoint, or to a model that is served for as long as the conversation lasts."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from tunesmith.errors import UserError
from tunesmith_cli.command import Command
from tunesmith_cli.options.settings import typed
from tunesmith_cli.untrusted_text import safe_json

_HEAT: dict[str, Any] = {"type": "number", "minimum": 0}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}


def configure(parser: ArgumentParser) -> None:
    subject = parser.add_argument_group("whom to talk to (one of these)")
    subject.add_argument("--url", metavar="URL", help="an endpoint that is up: http://127.0.0.1:8000/v1")
    subject.add_argument("--model", metavar="URI", help="a model, served for this conversation: scheme://place, or a local directory")
    subject.add_argument("--from", dest="source", metavar="STEP", help="what this step of an earlier command or pipeline made")
    subject.add_argument("--pipeline", metavar="FILE", help="where STEP is (default: earlier commands here, then ./tunesmith.yaml)")
    subject.add_argument("--backend", default="auto", metavar="NAME", help="the inference backend that serves (default: auto)")
    subject.add_argument("--served-model", default="", metavar="NAME", help="which model of the endpoint at --url (default: its first)")
    talk = parser.add_argument_group("how to talk")
    talk.add_argument("-m", "--message", metavar="TEXT", help="ask this, print the answer and end (default in a pipe: all its input)")
    talk.add_argument("--system", default="", metavar="TEXT", help="the system prompt")
    talk.add_argument(
        "--temperature", type=typed(_HEAT), metavar="X", help="0 takes the likeliest token each time (default: the endpoint's)"
    )
    talk.add_argument("--max-tokens", type=typed(_COUNT), metavar="N", help="longest answer (default: the endpoint's)")
    talk.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(args: Namespace) -> int:
    chosen = [name for name in ("url", "model", "source") if getattr(args, name)]
    if len(chosen) != 1:
        fix = "Give one of --url URL, --model URI and --from STEP."
        raise UserError("TS-CLI-006", f"tunesmith chat needs to know {'one thing' if chosen else 'whom'} to talk to", fix=fix)
    message = args.message
    if message is None and not sys.stdin.isatty():
        message = sys.stdin.read().strip()
    if message is not None and not message.strip():
        raise UserError("TS-CLI-006", "tunesmith chat was given nothing to ask", fix='Write it with -m "..." or send it through the pipe.')
    if message is None and args.json:
        raise UserError("TS-CLI-006", "tunesmith chat --json needs a message", fix='Write it with -m "...".')
    with _endpoint(args) as facts:
        return _talk(args, facts, message)


def _talk(args: Namespace, facts: Any, message: str | None) -> int:
    from tunesmith_cli.chat.client import ChatClient
    from tunesmith_cli.chat.conversation import ChatSession

    options = {"temperature": args.temperature, "max_tokens": args.max_tokens}
    client = ChatClient(facts["url"], facts.get("model", ""))
    session = ChatSession(client, args.system, {key: value for key, value in options.items() if value is not None})
    if message is None:
        session.converse()
    else:
        answer = session.ask(message, show=not args.json)
        if args.json:
            print(safe_json({"event": "answer", "model": client.model, "answer": answer}))
    return 0


def _endpoint(args: Namespace) -> AbstractContextManager[Any]:
    if args.url:
        return nullcontext({"url": args.url, "model": args.served_model})
    from tunesmith_cli.chat.endpoint import endpoint, planned, served_step, serving_verb
    from tunesmith_cli.launch import Session

    if args.source:
        return served_step(args.source, args.pipeline, args.backend)
    session = Session.open(beside=[Path(args.pipeline)] if args.pipeline else [])
    step = {serving_verb(session): args.backend}
    return endpoint(session, planned(session, {"name": "chat", "model": args.model, "steps": {"chat": step}}))


COMMAND = Command(
    "chat", "talk to a model", configure, run,
    (
        ("a model, served while you talk", "tunesmith chat --model file://path/to/model"),
        ("an endpoint that is up", 'tunesmith chat --url http://127.0.0.1:8000/v1 -m "Who are you?"'),
        ("what a step of ./tunesmith.yaml made, in a pipe", "cat question.txt | tunesmith chat --from tune --temperature 0"),
    ),
)  # fmt: skip
