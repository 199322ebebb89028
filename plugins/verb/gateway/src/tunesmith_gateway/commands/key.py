"""`tunesmith gateway key`: make an API key, and write its hash down."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from tunesmith.contracts.settings import schema_of
from tunesmith.errors import UserError
from tunesmith_cli.api import Command, safe_json, typed
from tunesmith_cli.api import gettext as _
from tunesmith_gateway.clients.api_keys import SHORTEST, add_key, hash_of, new_key
from tunesmith_gateway.settings import KeySettings

_LIMITS = ("requests_per_minute", "concurrency", "max_request_bytes")


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="whose it is; in logs and metrics")
    parser.add_argument("--file", type=Path, metavar="FILE", help="file of keys that its hash is added to (default: it is printed)")
    parser.add_argument("--stdin", action="store_true", help=f"hash a key of your own, read from stdin (at least {SHORTEST} characters)")
    parser.add_argument(
        "--model", action="append", default=[], dest="models", metavar="NAME", help="a model that it may ask (default: all)"
    )
    properties = schema_of(KeySettings)["properties"]
    for name in _LIMITS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=typed(properties[name]), metavar="N", help=properties[name]["description"])
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    key = sys.stdin.readline().strip() if args.stdin else new_key()
    if len(key) < SHORTEST:
        raise UserError(
            "TS-SERVE-042", f"a key of {len(key)} characters can be guessed", why=f"It should have {SHORTEST} at least.",
            fix="Leave --stdin out: a key is made.",
        )  # fmt: skip
    limits: dict[str, Any] = {name: value for name in _LIMITS if (value := getattr(args, name))}
    entry = {"name": args.name, "hash": hash_of(key), **limits, **({"models": args.models} if args.models else {})}
    if args.file:
        add_key(args.file, entry)
    if args.json:
        print(safe_json({**entry, **({} if args.stdin else {"key": key})}))
        return 0
    if not args.stdin:
        print(_("The key of {name}, shown this once: {key}", name=args.name, key=key))
    if args.file:
        print(_("Its hash is in {file}; a gateway with `keys_file: {file}` takes it up at once.", file=args.file))
    else:
        import yaml

        print(_("Its entry for a file of keys:") + "\n" + yaml.safe_dump([entry], sort_keys=False), end="")
    return 0


KEY = Command(
    "key", "make an API key and write its hash into a file of keys", configure, run,
    (
        ("a key for alice, at most 60 requests a minute", "tunesmith gateway key alice --file keys.yaml --requests-per-minute 60"),
        ("the hash of a key that you have", "tunesmith gateway key bob --stdin --file keys.yaml < secret.txt"),
    ),
)  # fmt: skip
