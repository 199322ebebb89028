"""How it went: steps and their times, decisions with reasons, where it ran, what was asked for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tunesmith.running.report.text import seconds, size, text

Facts = Mapping[str, Any]

_WORDS = {"done": "done", "failed": "failed", "skipped": "skipped", "cancelled": "cancelled", "waiting": "not run", "running": "running",
          "interrupted": "interrupted", "serving": "serving"}  # fmt: skip


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


def steps(facts: Facts) -> str:
    slowest = max((step["seconds"] or 0 for step in facts["steps"]), default=0) or 1
    body = "".join(_step(step, slowest) for step in facts["steps"])
    head = '<th>step</th><th>state</th><th class="num">time</th><th>artifact</th><th class="num">size</th>'
    return f'<h2>Steps</h2><div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _step(step: Facts, slowest: float) -> str:
    by = ", ".join(provider["name"] for provider in step["providers"].values())
    where = f" · {step['processes']} processes" if step["processes"] > 1 else ""
    what = f"{step['verb']}{' with ' + by if by else ''}{' · added by the planner' if step['inserted'] else ''}{where}"
    state = "cached" if step["cached"] else step["state"]
    tries = f'<span class="sub">{step["attempts"]} attempts</span>' if step["attempts"] > 1 else ""
    took = step["seconds"]
    bar = f'<div class="bar{" cold" if step["cached"] else ""}" style="width:{100 * (took or 0) / slowest:.0f}%"></div>' if took else ""
    artifact = step["artifact"] or ""
    made = (
        f'<code title="{text(artifact)}">{text(artifact.removeprefix("sha256:")[:12])}</code>'
        if artifact
        else '<span class="muted">–</span>'
    )
    return (
        f'<tr><td>{text(step["name"])}<span class="sub">{text(what)}</span></td>'
        f'<td><span class="badge {text(state)}">{text(_WORDS.get(state, state))}</span>{tries}</td>'
        f'<td class="num" style="min-width:7rem">{seconds(took)}{bar}</td>'
        f'<td>{made}<span class="sub">{text(step["format"])}</span></td><td class="num">{size(step["size"]) if artifact else ""}</td></tr>'
    )


def decisions(facts: Facts) -> str:
    entries = facts["decisions"]
    warnings = "".join(f'<p class="gate"><span class="no">!</span> <span>{text(warning)}</span></p>' for warning in facts["warnings"])
    if not entries:
        return f"<h2>Warnings</h2>{warnings}" if warnings else ""
    items = "".join(
        f"<dt>{text(entry['what'])}{' <small class=muted>' + text(entry['step']) + '</small>' if entry['step'] else ''}</dt>"
        f"<dd>{text(entry['reason'])}</dd>"
        for entry in entries
    )
    return f"<h2>Decisions <small>and why</small></h2>{warnings}<dl>{items}</dl>"


def environment(facts: Facts) -> str:
    env = facts["environment"]
    plugins = ", ".join(f"{name} {version}" for name, version in env["plugins"].items())
    rows = [("Tunesmith", env["tunesmith"]), ("Python", env["python"]), ("Platform", env["platform"]),
            ("Devices", ", ".join(env["devices"])), ("Distributions", plugins)]  # fmt: skip
    return '<h2>Environment</h2><dl class="env">' + "".join(f"<dt>{text(k)}</dt><dd>{text(v)}</dd>" for k, v in rows if v) + "</dl>"


def source(facts: Facts) -> str:
    return f"<h2>Pipeline</h2><pre>{text(facts['source'].rstrip())}</pre>" if facts["source"].strip() else ""
