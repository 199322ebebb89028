"""`tunesmith plugin ...`: what is installed, and why something is not active. An author's tools come with the SDK."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunesmith_cli.command import Command
from tunesmith_cli.commands import plugin_doctor
from tunesmith_cli.text_tables import aligned
from tunesmith_cli.translation.catalogs import gettext as _
from tunesmith_cli.translation.catalogs import translated

if TYPE_CHECKING:
    from tunesmith.config import Config
    from tunesmith.plugins.records import Plugin, ProviderRecord
    from tunesmith.plugins.registry import Registry


def _json_option(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


# --- list and info -------------------------------------------------------------------------------------------------------------------


def configure_list(parser: ArgumentParser) -> None:
    parser.add_argument("--kind", default="", help="only what provides this kind (adapter, quantizer, verb, ...)")
    _json_option(parser)


def run_list(args: Namespace) -> int:
    from tunesmith.plugins.missing_targets import absent_of
    from tunesmith.plugins.requirements import place

    config, registry = _loaded()
    plugins = [p for p in registry.plugins if not args.kind or any(r.kind == args.kind for r in p.providers)]
    if args.json:
        print(json.dumps([_summary(plugin) for plugin in plugins], indent=2))
        return 0
    rows = [(_("PLUGIN"), _("VERSION"), _("STATE"), _("RUNS"), _("PROVIDES"))]
    for plugin in plugins:
        kinds: dict[str, list[str]] = {"kind": [kind.name for kind in plugin.kinds]} if plugin.kinds else {}
        for record in plugin.providers:
            kinds.setdefault(record.kind, []).append(record.name)
        provides = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items())
        rows.append(
            (
                plugin.distribution,
                plugin.version,
                translated(plugin.state),
                translated(place(plugin)) if plugin.state == "active" else "",
                provides or ", ".join(plugin.events),
            )
        )
    print(aligned(rows))
    asides = [f"{p.distribution} is {p.state}: {p.reason}. {p.fix}".strip() for p in plugins if p.state != "active"]
    asides += [f"{p.distribution}: {what}. `tunesmith plugin doctor` says what to do." for p in plugins for what in absent_of(p)]
    asides += [f"{problem.code}: {problem.what}" for problem in config.policy_problems]
    for line in (*asides, *registry.policy_warnings(), *registry.warnings):
        print(translated(line), file=sys.stderr)
    return 0


def configure_info(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a distribution, or a provider: `name` or `kind.name`")
    parser.add_argument("--code", action="store_true", help="also the digest of its code, to pin it in [plugins] allow")
    _json_option(parser)


def run_info(args: Namespace) -> int:
    registry = _loaded()[1]
    named = [p for p in registry.plugins if any(args.name in (r.name, f"{r.kind}.{r.name}") for r in p.providers)]
    plugins = named or [registry.distribution(args.name)]
    if args.json:
        print(json.dumps([_summary(plugin, whole=True) | _code(args, plugin) for plugin in plugins], indent=2))
        return 0
    for plugin in plugins:
        facts = [
            (_("state"), translated(plugin.state)),
            (_("why"), translated(plugin.reason)),
            (_("fix"), translated(plugin.fix)),
            (_("manifest"), str(plugin.path or "")),
            (_("module"), plugin.module),
        ]
        facts += _code(args, plugin).items()
        facts += [(_("events"), ", ".join(plugin.events)), *_runtime_facts(plugin)]
        print(f"{plugin.distribution} {plugin.version}")
        print(aligned([(f"  {key}", value) for key, value in facts if value]))
        for kind in plugin.kinds:
            print("\n  " + _("kind {name}: {summary}", name=kind.name, summary=translated(kind.summary)))
            print(aligned([(f"    {_('contract')}", _("{contract}, version {number}", contract=kind.contract, number=kind.api))]))
        for record in plugin.providers:
            print(f"\n  {record.kind} {record.name}: {translated(record.summary)}")
            traits = [(_("accepts"), ", ".join(record.accepts)), (_("produces"), ", ".join(record.produces))]
            traits.append((_("capabilities"), ", ".join(f"{name} ({grade})" for name, grade in record.capabilities.items())))
            needs = (_("{what} of {of}, because {why}", what=one.capability, of=one.of, why=translated(one.why)) for one in record.needs)
            traits.append((_("needs"), "; ".join(needs)))
            traits += [(f"--{name}", _setting(entry)) for name, entry in record.schema.get("properties", {}).items()]
            print(aligned([(f"    {key}", value) for key, value in traits if value]))
    return 0


def _code(args: Namespace, plugin: Plugin) -> dict[str, str]:
    if not args.code:
        return {}
    from tunesmith.plugins.code_digest import digest

    return {"code": digest(plugin.module, plugin.path)}


def _runtime_facts(plugin: Plugin) -> list[tuple[str, str]]:
    from tunesmith.plugins.requirements import missing, place

    wanted = plugin.environment_spec
    facts = [(_("runs"), translated(place(plugin))), (_("runtime"), ", ".join(plugin.runtime))]
    facts += [(_("runtime on {device}", device=device), ", ".join(lines)) for device, lines in wanted.runtime.items()]
    facts += [
        (_("without dependencies"), ", ".join(wanted.without_dependencies)),
        (_("absent"), ", ".join(wanted.absent)),
        ("python", wanted.python),
    ]
    unmet = missing(plugin).items()
    return facts + [(_("not met on {device} here", device=on) if on else _("not met here"), ", ".join(told)) for on, told in unmet]


# --- shared --------------------------------------------------------------------------------------------------------------------------


def _loaded() -> tuple[Config, Registry]:
    """Configuration and registry; a configuration with mistakes in it is no reason not to look at what is installed."""
    from tunesmith.config import load_config
    from tunesmith.plugins.registry import load_registry

    config = load_config()
    return config, load_registry(config)


def _summary(plugin: Plugin, whole: bool = False) -> dict[str, Any]:
    from tunesmith.plugins.requirements import place

    keys = ("distribution", "version", "state", "reason", "fix", "module", "events", "runtime", "missing")
    records = [_record(r) if whole else {"kind": r.kind, "name": r.name, "summary": r.summary} for r in plugin.providers]
    kinds = [{"name": kind.name, "summary": kind.summary, "contract": kind.contract, "api": kind.api} for kind in plugin.kinds]
    said = {"runs": place(plugin), "manifest": str(plugin.path or ""), "kinds": kinds, "providers": records}
    return {key: getattr(plugin, key) for key in keys} | said


def _record(record: ProviderRecord) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(record)


def _setting(entry: Mapping[str, Any]) -> str:
    kinds = [option.get("type", "any") for option in entry.get("anyOf", [entry])]
    default = _("default {value}", value=json.dumps(entry["default"])) if "default" in entry else _("required")
    return f"{translated(entry.get('description', ''))} ({_(' or ').join(kinds)}, {default})".strip()


COMMANDS = (
    Command("list", "what is installed, and in what state", configure_list, run_list),
    Command("info", "everything that a plugin's manifest says", configure_info, run_info),
    plugin_doctor.COMMAND,
)
