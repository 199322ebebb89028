"""`tunesmith serve switch`: a new version of a served model, brought up under load."""

from __future__ import annotations

import os
import re
import secrets
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from tunesmith.config import find_home
from tunesmith.contracts.settings import build, schema_of
from tunesmith.errors import TunesmithError, UserError
from tunesmith_cli.api import Command, gettext, safe, safe_json, typed
from tunesmith_gateway.switch.settings import SwitchSettings

_DIGEST = re.compile(r"[0-9a-f]{7,64}")


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the model's name at the gateway (`tunesmith gateway routes`)")
    parser.add_argument(
        "--to", required=True, metavar="WHAT",
        help="the new version: a step that made a model, the beginning of an artifact's digest, a model (scheme://place or a directory), "
        "or the address of a server that is up (http://host/v1)",
    )  # fmt: skip
    parser.add_argument("--pipeline", metavar="FILE", help="where a step is (default: earlier commands here, then ./tunesmith.yaml)")
    parser.add_argument("--served-model", default="", metavar="NAME", help="the model's name at --to, where that is a server")
    parser.add_argument("--key-env", default="", metavar="NAME", help="environment variable of the gateway with the key for --to")
    parser.add_argument("--gateway", default="", metavar="URL", help="which gateway, where several have the model")
    parser.add_argument("--smoke", type=Path, metavar="FILE", help="requests (JSONL) that it has to answer first (default: one of ours)")
    parser.add_argument("--shadow", type=Path, metavar="FILE", help="requests with what is `expected`, for --min-score")
    parser.add_argument("--start-timeout", type=float, default=900.0, metavar="X", help="seconds until it has to be up (default 900)")
    group = parser.add_argument_group("steps and bounds")
    for name, schema in schema_of(SwitchSettings)["properties"].items():
        flag = f"--{name.replace('_', '-')}"
        told = f"{schema['description']} (default {_shown(schema['default'])})"
        if schema["type"] == "boolean":
            group.add_argument(flag, action="store_true", help=schema["description"])
        elif schema["type"] == "array":
            group.add_argument(flag, type=_shares, metavar="X,X", help=told)
        else:
            group.add_argument(flag, type=typed(schema), metavar="X", help=told)
    parser.add_argument("--json", action="store_true", help="print events as lines of JSON")


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _shares(text: str) -> list[float]:
    try:
        shares = [float(word) for word in text.split(",")]
    except ValueError:
        shares = []
    if not shares or not all(0 < share <= 1 for share in shares) or shares != sorted(set(shares)) or shares[-1] != 1:
        raise ArgumentTypeError(f"{text!r} should be shares above 0 that rise and end with 1, as 0.01,0.1,1")
    return shares


def run(words: Sequence[str], args: Namespace) -> int:
    from tunesmith_gateway.gateway_client import gateway_of
    from tunesmith_gateway.switch.trial_questions import SMOKE, read_questions

    given = {name: value for name in SwitchSettings.__dataclass_fields__ if (value := getattr(args, name)) is not None}
    settings = build(SwitchSettings, given)
    smoke = read_questions(args.smoke, False) if args.smoke else SMOKE
    shadow = read_questions(args.shadow, True) if args.shadow else ()
    if settings.min_score and not shadow:
        raise UserError("TS-CLI-006", "--min-score is judged on a shadow set", fix="Give one: --shadow FILE.")
    home = find_home()
    gateway = gateway_of(home, args.name, args.gateway)
    started, to = _new_version(home, args, words)
    asked = {"model": args.name, "to": to, "settings": asdict(settings), "smoke": list(smoke), "shadow": list(shadow)}
    try:
        events = gateway.switch(asked)
        last = _follow(events, args)
    except KeyboardInterrupt:
        gateway.back(args.name)
        raise
    except TunesmithError:
        if started:
            started.stop()
        raise
    if last.get("event") == "gone_back":
        raise TunesmithError(
            "TS-SERVE-046", f"`{args.name}` went back to its old version", why=str(last["reason"]),
            fix="Requests are answered as before. " + (f"What the new version said is in {started.log}." if started else ""),
        )  # fmt: skip
    return 0


def _new_version(home: Path, args: Namespace, words: Sequence[str]) -> tuple[Any, dict[str, str]]:
    """The run that was started for it, if one was, and where it answers."""
    if args.to.startswith(("http://", "https://")):
        if words:
            raise UserError(
                "TS-CLI-002", "options of `tunesmith serve` after `--` are for a version that is started", fix="Leave them out."
            )
        return None, {"url": args.to, "model": args.served_model, "key_env": args.key_env}
    from tunesmith_gateway.serve_run import ServeRun

    step = f"switch-{secrets.token_hex(3)}"
    run = ServeRun.start(home, step, [*words, *_subject(home, args), "--name", args.name])
    try:
        endpoint = run.wait(args.start_timeout)
    except BaseException:
        run.stop()
        raise
    return run, {"step": f"{endpoint.run}/{step}", "model": ""}


def _subject(home: Path, args: Namespace) -> list[str]:
    """What is to be served, as `tunesmith serve` takes it."""
    if "://" in args.to:
        return ["--model", args.to]
    if os.path.isdir(args.to):
        return ["--model", f"file://{Path(args.to).absolute()}"]
    if _DIGEST.fullmatch(args.to):
        from tunesmith.running.store.store import Store

        store = Store(home)
        found = [digest for digest in store.digests() if digest.startswith(args.to)]
        if len(found) == 1 and (artifact := store.get(found[0])):
            return ["--model", f"file://{artifact.path}"]
    return ["--from", args.to, *(["--pipeline", args.pipeline] if args.pipeline else [])]


def _follow(events: Iterator[dict[str, Any]], args: Namespace) -> dict[str, Any]:
    last: dict[str, Any] = {}
    for last in events:
        print(safe_json(last) if args.json else safe(_sentence(last)), flush=True)
    if last.get("event") not in ("switch_done", "gone_back"):
        raise TunesmithError("TS-SERVE-046", "the gateway ended in the middle of the switch", fix="Start it again: `tunesmith gateway`.")
    return last


def _sentence(event: dict[str, Any]) -> str:
    return gettext({
        "switch_smoke": "It answers the smoke set ({answered}).",
        "switch_shadow": "Of {rows} rows of the shadow set the old version answers {old:.3f} as expected, the new one {new:.3f}.",
        "switch_share": "It takes {share:.0%} of the requests.",
        "switch_step": "{answered} answered in {seconds:.1f} s, {error_rate:.2%} failed, 99 of 100 within {p99:.3f} s",
        "switched": "All requests go to {version}.",
        "switch_drained": "Version {version} has {running} requests left.",
        "switch_kept": "Its run {run} goes on: it answers for {models}, too.",
        "switch_stopped": "Its run {run} is asked to end.",
        "switch_done": "{model} is served by {version}.",
        "switch_back": "It goes back: {reason}.",
        "gone_back": "{model} is served by its old version.",
    }.get(event["event"], "{event}")).format(**event)  # fmt: skip


def SWITCH(words: Sequence[str]) -> Command:  # noqa: N802
    return Command(
        "switch", "bring a new version of a served model up beside the old one, move requests over step by step, and go back by itself "
        "where a bound is not kept", configure, partial(run, words),
        (
            ("what a step of ./tunesmith.yaml made, by 1 %, 10 %, 50 % to all", "tunesmith serve switch bot --to tune"),
            ("at once, once it has answered the smoke set", "tunesmith serve switch bot --to tune --at-once"),
            ("go back where 1 in 1,000 fails, or answers take long",
             "tunesmith serve switch bot --to 3f9a21c07d55 --max-error-rate 0.001 --max-p99 2"),
            ("another engine, with settings of its own", "tunesmith serve switch bot --to tune -- llamacpp --parallel 8"),
        ),
    )  # fmt: skip
