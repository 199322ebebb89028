"""What ran where: this machine, the host's environment and those of steps that have an isolated one."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Mapping
from typing import Any

from packaging.utils import canonicalize_name

from tunesmith import RunView, __version__
from tunesmith_report.number_format import size, text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def host(plan: Any) -> dict[str, Any]:
    """This machine, and the distributions that took part."""
    records = [record for step in plan.steps for record in (step.verb, *(choice.record for choice in step.choices.values()))]
    return {
        "tunesmith": __version__, "python": platform.python_version(), "platform": platform.platform(), "machine": platform.machine(),
        "plugins": dict(sorted({record.distribution: record.version for record in records}.items())),
        "devices": sorted({step.placement.device for step in plan.steps}), "implementation": sys.implementation.name,
    }  # fmt: skip


def environments(view: RunView) -> list[dict[str, Any]]:
    """An entry per environment, the host's first: its steps, Python, size, and the packages that were asked for by name."""
    steps = view.plan.steps
    found = [{"key": "host", "steps": [step.name for step in steps if not step.recipe], "python": platform.python_version(),
              "size": None, "packages": {}}]  # fmt: skip
    for key in dict.fromkeys(step.lock for step in steps if step.recipe):
        there, own = view.environments.get(key), [step for step in steps if step.recipe and step.lock == key]
        found.append({
            "key": key, "steps": [step.name for step in own], "python": there.version if there else "",
            "size": there.size if there else None, "packages": _named(own[0].recipe, there.packages) if there else {},
        })  # fmt: skip
    return found


def _named(recipe: Any, packages: Mapping[str, str]) -> dict[str, str]:
    """Versions of the packages that a step's plugins ask for themselves."""
    asked = {match[0] for line in (*recipe.requirements, *recipe.without_dependencies) if (match := _NAME.match(line))}
    versions = {canonicalize_name(name): version for name, version in packages.items()}
    return {name: versions[canonicalize_name(name)] for name in sorted(asked) if canonicalize_name(name) in versions}


def table(facts: Mapping[str, Any]) -> str:
    """Nothing where all ran in the host's environment."""
    entries = facts["environments"]
    if len(entries) < 2:
        return ""
    head = '<th>environment</th><th>steps</th><th>packages</th><th class="num">size</th>'
    body = "".join(_row(entry) for entry in entries)
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return f"<h2>Environments <small>what ran where</small></h2>{table}"


def _row(entry: Mapping[str, Any]) -> str:
    python = f'<span class="sub">Python {text(entry["python"])}</span>' if entry["python"] else ""
    packages = ", ".join(f"{name} {version}" for name, version in entry["packages"].items())
    name = "the host's" if entry["key"] == "host" else f"<code>{text(entry['key'])}</code>"
    steps = ", ".join(entry["steps"]) if entry["key"] != "host" else f"{len(entry['steps'])} steps"
    return f'<tr><td>{name}{python}</td><td>{text(steps)}</td><td>{text(packages)}</td><td class="num">{size(entry["size"])}</td></tr>'


def machine(facts: Mapping[str, Any]) -> str:
    env = facts["environment"]
    plugins = ", ".join(f"{name} {version}" for name, version in env["plugins"].items())
    rows = [("Tunesmith", env["tunesmith"]), ("Python", env["python"]), ("Platform", env["platform"]),
            ("Devices", ", ".join(env["devices"])), ("Distributions", plugins)]  # fmt: skip
    return '<h2>Environment</h2><dl class="env">' + "".join(f"<dt>{text(k)}</dt><dd>{text(v)}</dd>" for k, v in rows if v) + "</dl>"
