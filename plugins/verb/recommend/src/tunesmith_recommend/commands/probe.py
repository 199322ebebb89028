"""`tunesmith probe`: what this machine, or one that is named, could train and serve on."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunesmith_cli.api import Command, add_cards, columns, named_cards, run_command, safe, safe_json, size, translated
from tunesmith_cli.api import gettext as _


def configure(parser: ArgumentParser) -> None:
    add_cards(parser)
    parser.add_argument("--refresh", action="store_true", help="measure again; what was measured before is remembered otherwise")
    parser.add_argument("--offline", action="store_true", help="don't ask whether hubs and package indexes answer")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_cli.api import Session
    from tunesmith_recommend.machine.network import reached
    from tunesmith_recommend.machine.probe import probe

    session = Session.open()
    found = probe(session.config, session.registry, named=named_cards(args, session.registry), anew=args.refresh)
    if found["here"]:
        found["network"] = reached(session.registry, offline=args.offline or session.config.environments.offline)
    print(safe_json(found, 2) if args.json else safe(probe_text(found)))
    return 0


def probe_text(found: Mapping[str, Any]) -> str:
    lines = [_("devices") if found["here"] else _("devices, by their data sheets")]
    rows = [(name, *_device(device)) for name, here in found["devices"].items() for device in here]
    lines.append(columns(rows, "  ") if rows else "  " + _("none: install a plugin that brings a device backend for this machine"))
    facts = [
        (_("disk"), _("{free} free for {what} ({path})", free=size(entry["free"]), what=translated(name), path=entry["path"]))
        for name, entry in found["disk"].items()
    ]
    system = _("{platform}, {count} processors", platform=found["platform"], count=found["processors"]) if found["here"] else ""
    kinds = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in sorted(found["providers"].items()))
    lines += ["", columns([(_("system"), system), *facts])] if found["here"] else []
    if network := found.get("network"):
        lines += ["", _("network"), columns([(one["loader"], _answer(one)) for one in network], "  ")]
    lines += ["", _("providers installed: {kinds}", kinds=kinds)]
    lines += ["", *(f"! {translated(remark)}" for remark in found["remarks"])] if found["remarks"] else []
    return "\n".join(lines)


def _answer(one: Mapping[str, Any]) -> str:
    address, why = one["address"], one["why"]
    return _("{address} answers", address=address) if one["answers"] else _("{address} does not answer: {why}", address=address, why=why)


def _device(device: Mapping[str, Any]) -> Iterator[str]:
    facts = device["facts"]
    yield device["name"]
    yield _("{free} free of {memory}", free=size(device["free"]), memory=size(device["memory"]))
    yield " ".join(device["dtypes"])
    flops = ", ".join(f"{count / 1e12:.3g} {dtype}" for dtype, count in facts.get("flops", {}).items())
    yield f"TFLOP/s {flops}" if flops else ""
    yield f"{size(facts['bandwidth'])}/s" if facts.get("bandwidth") else ""


COMMAND = Command(
    "probe", "devices with their memory and measured speed, disk, which hubs answer, and what is installed", configure, run,
    (
        ("what could be done here? (a second of measuring, the first time)", "tunesmith probe"),
        ("and on a card that is not here?", "tunesmith probe --on A10"),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith probe", arguments)
