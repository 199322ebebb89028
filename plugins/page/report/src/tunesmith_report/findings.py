"""What came of the run in plain words, as plugins have found out by their rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_report.number_format import text


def findings(facts: Mapping[str, Any]) -> str:
    """Nothing where nobody has found anything."""
    told = facts["findings"]
    return f"<h2>What to make of it</h2>{''.join(map(_finding, told))}" if told else ""


def _finding(one: Mapping[str, Any]) -> str:
    step = f"<code>{text(one['step'])}</code> " if one.get("step") else ""
    evidence = "".join(f"<li>{text(clause)}</li>" for clause in one.get("evidence", ()))
    fix = f"<p>{text(one['fix'])}</p>" if one.get("fix") else ""
    command = f"<pre>{text(one['command'])}</pre>" if one.get("command") else ""
    rule = f'<p class="muted">{text(one.get("text", ""))} ({text(one.get("source", ""))}) [{text(one.get("rule", ""))}]</p>'
    return f"<section><h3>{step}{text(one['what'])}</h3>{f'<ul>{evidence}</ul>' if evidence else ''}{fix}{command}{rule}</section>"
