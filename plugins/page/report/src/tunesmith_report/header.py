"""The head of the page: what ran and when, how it ended, and the figures that are looked for first."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tunesmith_report.number_format import seconds, size, text

Facts = Mapping[str, Any]


def header(facts: Facts) -> str:
    state = facts["state"]
    word = {"done": "finished", "serving": "finished, serving"}.get(state, state)
    when = time.strftime("%d %B %Y, %H:%M", time.localtime(facts["started"])) if facts["started"] else ""
    good = "done" if state in ("done", "serving") else "failed" if state == "failed" else ""
    badge = f'<span class="badge {good}">{text(word)}</span>'
    run = f'<p class="muted">Run <code>{text(facts["run"])}</code>{" · " + text(when) if when else ""}</p>'
    return f"<header><h1>{text(facts['pipeline'])}{badge}</h1>{run}{_trouble(facts['error'])}{_tiles(facts)}</header>"


def _trouble(error: Facts | None) -> str:
    if not error:
        return ""
    more = "".join(f"<p>{text(error[part])}</p>" for part in ("why", "fix") if error.get(part))
    for who, stacks in error.get("facts", {}).get("stacks", {}).items():
        more += f"<details><summary>Where {text(who)} was</summary><pre>{text(stacks)}</pre></details>"
    return f'<div class="trouble"><b>{text(error["code"])}</b> {text(error["what"])}{more}</div>'


def _tiles(facts: Facts) -> str:
    steps = facts["steps"]
    done = [step for step in steps if step["state"] in ("done", "serving")]
    cached = sum(step["cached"] for step in done)
    took = sum(step["seconds"] or 0 for step in done if not (step["cached"] or step["service"]))  # a service's time is its readers'
    models = [s for s in steps if s["size"] and s["format"].startswith("model/") and (not s["inserted"] or s is steps[0])]
    tiles = [
        (f"{len(done)} of {len(steps)}", "steps done"),
        (str(cached), "from the cache"),
        (seconds(took), "in steps of this run"),
    ]
    if len(models) > 1:
        ends = _ends(models, steps)
        last = size(ends[0]) if len(ends) == 1 else f"{size(ends[0])} to {size(ends[-1])}"
        tiles.append((f"{size(models[0]['size'])} → {last}", "first and last model" if len(ends) == 1 else "first model and last ones"))
    elif models:
        tiles.append((size(models[0]["size"]), "model"))
    return (
        '<div class="tiles">' + "".join(f'<div class="tile"><b>{value}</b><span>{label}</span></div>' for value, label in tiles) + "</div>"
    )


def _ends(models: list[Facts], steps: list[Facts]) -> list[int]:
    """Sizes of the models that no other is made from, the smallest first."""
    onward = {step.get("source") for step in steps if step["format"].startswith(("model/", "adapter/"))}
    return sorted(model["size"] for model in models[1:] if model["name"] not in onward) or [models[-1]["size"]]
