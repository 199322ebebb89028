"""The table of steps with their times, and the decisions with their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_report.number_format import seconds, size, text

Facts = Mapping[str, Any]

_WORDS = {"done": "done", "failed": "failed", "skipped": "skipped", "cancelled": "cancelled", "waiting": "not run", "running": "running",
          "interrupted": "interrupted", "serving": "serving"}  # fmt: skip


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
