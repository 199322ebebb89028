"""The end of a run in a few lines: what was measured, what was made, how to use it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.planning.plan import Plan, PlannedStep
from tunesmith.running.outcome import StepOutcome
from tunesmith_cli.display.number_format import number


def steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def what(step: PlannedStep) -> str:
    """``train echo, adapter tilt``: the verb with the providers chosen for it."""
    main = step.choices.get(step.verb.main_kind)
    others = [f"{slot} {choice.record.name}" for slot, choice in step.told.items() if slot != step.verb.main_kind]
    return ", ".join([f"{step.verb.name} {main.record.name}" if main else step.verb.name, *others])


def metric_lines(plan: Plan, outcomes: Mapping[str, StepOutcome]) -> Iterator[str]:
    """Per group of evaluations a table, a line per source; other steps' numbers in a line each."""
    groups: dict[str, dict[str, dict[str, float]]] = {}
    for step in plan.steps:
        found = outcomes[step.name].metrics if step.name in outcomes else {}
        if found and not step.inserted:
            source = (step.source or step.name) if step.verb.many else ""
            groups.setdefault(step.group, {}).setdefault(source, {}).update(found)
    for group, rows in groups.items():
        if list(rows) == [""]:
            yield f"{group}: " + ", ".join(f"{name} {number(value)}" for name, value in rows[""].items())
        else:
            yield from table(group, rows)


def table(title: str, rows: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Right-aligned columns, one per metric."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    cells = {source: [number(row[name]) if name in row else "-" for name in names] for source, row in rows.items()}
    first = max(len(text) for text in (title, *rows))
    widths = [max(len(name), *(len(row[index]) for row in cells.values())) for index, name in enumerate(names)]
    yield "  ".join([f"{title:<{first}}", *(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))])
    for source, row in cells.items():
        yield "  ".join([f"{source:<{first}}", *(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))])


def artifact_lines(plan: Plan, outcomes: Mapping[str, StepOutcome]) -> Iterator[tuple[str, str]]:
    """The models that the user's own steps made, by name: (step, directory)."""
    for step in plan.steps:
        outcome = outcomes.get(step.name)
        if outcome and outcome.artifact and step.name in plan.outputs and step.format.partition("/")[0] in ("model", "adapter"):
            yield step.name, str(outcome.artifact.path)


def chat_line(url: str) -> str:
    return f"tunesmith chat --url {shlex.quote(url)}"


def curl_line(facts: Mapping[str, Any]) -> str:
    """A request that can be pasted into a shell."""
    body = {"model": facts.get("model"), "messages": [{"role": "user", "content": "Hello"}]}
    url = str(facts.get("url")).rstrip("/") + "/chat/completions"
    return f"curl {shlex.quote(url)} -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"
