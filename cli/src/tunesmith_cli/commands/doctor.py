"""`tunesmith doctor`: what this machine has, and what the plugins miss on it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith_cli.command import Command
from tunesmith_cli.display.number_format import size
from tunesmith_cli.text_tables import columns
from tunesmith_cli.translation.catalogs import gettext as _
from tunesmith_cli.translation.catalogs import translated
from tunesmith_cli.untrusted_text import safe_json

if TYPE_CHECKING:
    from tunesmith.config import Config
    from tunesmith.plugins.registry import Registry

_LITTLE = 5e9  # bytes of free disk below which a small model's pipeline may not fit


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("--self-test", action="store_true", help="try what training computes on each device, against float64 (a minute)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith.config import load_config
    from tunesmith.plugins.registry import load_registry

    config = load_config()
    registry = load_registry(config)
    tested = None
    if args.self_test:
        from tunesmith_cli.commands.doctor_self_test import self_tests

        tested = self_tests(registry)  # first: what is said of the devices takes its outcome into account
    found = facts(config, registry, tested)
    print(safe_json(found, 2) if args.json else doctor_text(found))
    return 1 if found["problems"] else 0


def facts(config: Config, registry: Registry, tested: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Everything that `doctor` says, as plain data.

    Args:
        tested: by device backend, what its self-test found, if it was asked for.
    """
    from tunesmith import __version__
    from tunesmith.planning.placement.devices import probe
    from tunesmith.plugins.required_plugins import unmet
    from tunesmith.plugins.requirements import install_hint, lacking, place

    devices = probe(registry)
    plugins = [
        {"distribution": p.distribution, "version": p.version, "state": p.state, "reason": p.reason, "fix": p.fix, "runs": place(p),
         "missing": lacking(p), "install": install_hint(p) if lacking(p) else ""}
        for p in registry.plugins
    ]  # fmt: skip
    disk = {"home": _disk(config.home), "cache": _disk(config.cache)}
    problems = [f"{error.code}: {error.what}" for error in (*config.policy_problems, *unmet(config.required, registry.plugins))]
    problems += [
        f"{p['distribution']} is {p['state']}: {p['reason']}. {p['fix']}"
        for p in plugins
        if p["state"] not in ("active", "denied", "overridden")
    ]
    problems += [
        f"{p['distribution']} may not be isolated and lacks {', '.join(p['missing'])}: {p['install']}"
        for p in plugins
        if p["missing"] and p["runs"] == "host"
    ]
    problems += [] if any(devices.values()) else ["no device backend found a device; install a plugin that brings one for this machine"]
    problems += [f"only {size(entry['free'])} are free for {entry['path']}" for entry in disk.values() if entry["free"] < _LITTLE]
    problems += list(getattr(devices, "warnings", ()))
    problems += [one["problem"] for one in (tested or {}).values() if one["problem"]]
    return {
        "tunesmith": __version__, "python": platform.python_version(), "executable": sys.executable, "platform": platform.platform(),
        "processors": os.cpu_count(), "disk": disk,
        "policies": [{"layer": policy.layer, "path": str(policy.path)} for policy in config.policies],
        "devices": {name: [asdict(device) for device in here] for name, here in devices.items()},
        "plugins": plugins, "problems": problems, "warnings": [*registry.policy_warnings(), *registry.warnings],
        **({} if tested is None else {"self_test": tested}),
    }  # fmt: skip


def doctor_text(found: Mapping[str, Any]) -> str:
    """The facts as a page."""
    disk = found["disk"]
    home = "{path}, {free} free" if disk["home"]["exists"] else "{path} (not made yet), {free} free"
    lines = [columns([
        ("tunesmith", found["tunesmith"]),
        ("python", f"{found['python']}, {found['executable']}"),
        (_("platform"), _("{platform}, {count} processors", platform=found["platform"], count=found["processors"])),
        (_("home"), _(home, path=disk["home"]["path"], free=size(disk["home"]["free"]))),
        (_("cache"), _("{path}, {free} free", path=disk["cache"]["path"], free=size(disk["cache"]["free"]))),
        (_("policy"), ", ".join(f"{policy['path']} ({policy['layer']})" for policy in found["policies"]) or _("no file says one")),
    ])]  # fmt: skip
    lines += ["", _("devices")]
    rows = [
        (
            name,
            device["name"],
            _("{free} free of {memory}", free=size(device["free"]), memory=size(device["memory"])),
            _("{count} cores", count=device["cores"]),
            " ".join(device["dtypes"]),
        )
        for name, here in found["devices"].items()
        for device in here
    ]
    lines.append(columns(rows, "  ") if rows else f"  {_('none')}")
    absent = [name for name, here in found["devices"].items() if not here]
    lines += ["  " + _("not here: {names}", names=", ".join(absent))] if absent else []
    if "self_test" in found:
        from tunesmith_cli.commands.doctor_self_test import self_test_text

        lines += self_test_text(found["self_test"])
    states: dict[str, int] = {}
    for plugin in found["plugins"]:
        states[plugin["state"]] = states.get(plugin["state"], 0) + 1
    lines += ["", _("plugins: {counts}", counts=", ".join(f"{count} {translated(state)}" for state, count in states.items()))]
    isolated = [plugin for plugin in found["plugins"] if plugin["runs"] == "isolated"]
    own = [
        (p["distribution"], _("needs {what}", what=", ".join(p["missing"])) if p["missing"] else _("its manifest says so"))
        for p in isolated
    ]
    lines += ["  " + _("in isolated environments:"), columns(own, "  ")] if own else []
    lines += ["", *(_("warning: {text}", text=translated(one)) for one in found["warnings"])] if found["warnings"] else []
    problems = [_("problem: {text}", text=translated(one)) for one in found["problems"]]
    lines += ["", *(problems or [_("no problems")])]
    return "\n".join(lines)


def _disk(path: Path) -> dict[str, Any]:
    """Free space where a directory is or would be."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    return {"path": str(path), "exists": path.exists(), "free": shutil.disk_usage(there).free}


COMMAND = Command(
    "doctor", "this machine: devices, disk, plugins and what they miss", configure, run,
    (
        ("can this machine do what its plugins promise? (exit status 1 if something is wrong)", "tunesmith doctor"),
        ("are this machine's devices right in what training computes? (remembered until torch changes)", "tunesmith doctor --self-test"),
    ),
)  # fmt: skip
