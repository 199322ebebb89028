"""What ran where: the host's environment and those of steps that have one of their own."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tunesmith.contracts.environment_builder import Environment
from tunesmith.planning.plan import Plan, PlannedStep
from tunesmith.policy import normal
from tunesmith.running.report.text import size, text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def environments(plan: Plan, built: Iterable[Environment]) -> list[dict[str, Any]]:
    """An entry per environment, the host's first: its steps, Python, size, and the packages that were asked for by name."""
    known = {environment.key: environment for environment in built}
    found = [{"key": "host", "steps": _steps(plan, ""), "python": platform.python_version(), "size": None, "packages": {}}]
    for key in dict.fromkeys(step.lock for step in plan.steps if step.recipe):
        there = known.get(key)
        first = next(step for step in plan.steps if step.lock == key)
        found.append({
            "key": key, "steps": _steps(plan, key), "python": there.version if there else "", "size": there.size if there else None,
            "packages": _named(first, there) if there else {},
        })  # fmt: skip
    return found


def _steps(plan: Plan, key: str) -> list[str]:
    return [step.name for step in plan.steps if step.lock == key and bool(step.recipe) == bool(key)]


def _named(step: PlannedStep, built: Environment) -> dict[str, str]:
    """Versions of the packages that a step's plugins ask for themselves."""
    assert step.recipe is not None
    asked = [match[0] for line in (*step.recipe.requirements, *step.recipe.without_dependencies) if (match := _NAME.match(line))]
    versions = {normal(name): version for name, version in built.packages.items()}
    return {name: versions[normal(name)] for name in sorted(set(asked)) if normal(name) in versions}


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
