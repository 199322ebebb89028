"""`tunesmith plugin doctor`: why plugins are not active, which can't be imported, and how their isolated environments are."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunesmith_cli.command import Command
from tunesmith_cli.text_tables import aligned
from tunesmith_cli.translation.catalogs import gettext as _
from tunesmith_cli.translation.catalogs import translated

if TYPE_CHECKING:
    from tunesmith.config import Config
    from tunesmith.planning.placement.environments import Environments
    from tunesmith.plugins.records import Plugin
    from tunesmith.plugins.registry import Registry
    from tunesmith_cli.plugin_diagnosis import Ailment


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="distributions (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith.config import load_config
    from tunesmith.plugins.registry import load_registry
    from tunesmith_cli.plugin_diagnosis import diagnose

    config = load_config()
    registry = load_registry(config)
    asked = {registry.distribution(name).distribution for name in args.names}
    found = [*diagnose(registry, config), *environments(registry, config)]
    found = [ailment for ailment in found if not asked or ailment.subject in asked]
    if args.json:
        print(json.dumps([ailment._asdict() for ailment in found], indent=2))
    elif found:
        print(aligned([(_("WRONG") if one.serious else _("note"), one.subject, "\n".join(_lines(one))) for one in found]))
    well = asked - {ailment.subject for ailment in found}
    if not args.json and asked:
        print("".join(_("{name}: active, and can be imported", name=name) + "\n" for name in sorted(well)), end="")
    elif not args.json and not any(ailment.serious for ailment in found):
        count = len(registry.plugins)
        well_told = "{count} plugins, nothing is wrong." if found else "{count} plugins, all active; each can be imported."
        print(_(well_told, count=count))
    return 1 if any(ailment.serious for ailment in found) else 0


def _lines(ailment: Ailment) -> Iterator[str]:
    yield translated(ailment.what)
    if ailment.fix:
        yield _("fix: {text}", text=translated(ailment.fix))


def environments(registry: Registry, config: Config) -> Iterator[Ailment]:
    """Of each plugin that does not run in this environment: why, and whether it has an isolated one and how that is."""
    from tunesmith.errors import TunesmithError
    from tunesmith.planning.pipeline.step_syntax import ISOLATED
    from tunesmith.planning.placement.devices import probe
    from tunesmith.planning.placement.environments import Environments
    from tunesmith.plugins.registry import WORKING
    from tunesmith.running.steps.environments import environments_of
    from tunesmith_cli.plugin_diagnosis import Ailment

    device = next((backend for backend, found in probe(registry).items() if found), "cpu")
    deciding = Environments(registry, config.environments.plugins, lambda: environments_of(config.environments, registry))
    for plugin in registry.plugins:
        if plugin.state not in WORKING:
            continue
        try:
            where, reason = deciding.place([plugin], device)
            if where == ISOLATED:
                yield _of_its_own(plugin, reason, deciding, device)
        except TunesmithError as error:
            fix = error.fix
            if error.code == "TS-PLUGIN-010":
                fix += f', or allow it an isolated environment: "{plugin.distribution}" = "isolated" below [environments.plugins]'
            yield Ailment(plugin.distribution, f"{error.code}: {error.what}", fix, True, plugin.state)


def _of_its_own(plugin: Plugin, reason: str, deciding: Environments, device: str) -> Ailment:
    from tunesmith.plugins.requirements import lacking
    from tunesmith_cli.plugin_diagnosis import Ailment

    assert deciding.locks is not None
    lacks = ", ".join(lacking(plugin, device))
    why = f"{reason}; not met here: {lacks}" if lacks and lacks not in reason else reason
    found = deciding.locks.examine(deciding.recipe([plugin], device))
    what = f"runs in an isolated environment: {why}; {found.what}"
    return Ailment(plugin.distribution, what, found.fix, found.serious, plugin.state)


COMMAND = Command(
    "doctor", "why plugins are not active, which can't be imported, how their isolated environments are", configure, run,
    (("all of them (exit status 1 if something is wrong)", "tunesmith plugin doctor"), ("one", "tunesmith plugin doctor acme-tilt")),
)  # fmt: skip
