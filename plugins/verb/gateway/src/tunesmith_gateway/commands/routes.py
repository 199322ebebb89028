"""`tunesmith gateway check` and `tunesmith gateway routes`: what a file says, and what gateways that are up do with it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from tunesmith.config import find_home
from tunesmith_cli.api import Command, columns, safe, safe_json
from tunesmith_cli.api import gettext as _
from tunesmith_gateway.commands.gateway import add_config, settings_of


def configure_check(parser: ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print every setting as JSON")


def run_check(args: Namespace) -> int:
    settings = settings_of(args)
    if args.json:
        print(safe_json(asdict(settings), 2))
    else:
        names = ", ".join(settings.models) or _("no names of its own")
        names += _(", and the running endpoints of this home") if settings.discover else ""
        print(safe(_("It is as it should be: {names}.", names=names)))
    return 0


def configure_routes(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_routes(args: Namespace) -> int:
    from tunesmith_gateway.gateway_client import gateways

    found = {one.url: one.routes() for one in gateways(find_home())}
    if args.json:
        print(safe_json(found, 2))
        return 0
    if not found:
        print(_("No gateway of this home is up. Start one: tunesmith gateway --discover"))
        return 0
    for url, routes in found.items():
        rows = [(_("MODEL"), _("VERSION"), _("SHARE"), _("RUNNING"), _("SERVERS"))]
        for name, versions in sorted(routes.items()):
            for one in versions:
                servers = ", ".join(f"{up['name']} {'up' if up['up'] else 'down: ' + up['error']}" for up in one["upstreams"])
                rows.append((name, one["version"], f"{one['share']:.0%}", str(one["running"]), servers))
        print(safe(f"{url}/v1\n{columns(rows)}"))
    return 0


CHECK = Command("check", "look for mistakes in a gateway's configuration", configure_check, run_check,
                (("the file that would be used", "tunesmith gateway check --config gateway.yaml"),))  # fmt: skip
ROUTES = Command("routes", "gateways of this home that are up: models, versions, shares, servers", configure_routes, run_routes,
                 (("what goes where", "tunesmith gateway routes"),))  # fmt: skip
