"""What a model wrote while it learned from its own completions: of each collection the best and the worst, as the ledger in the artifact
has them (`tunesmith runs rollouts` has all)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith import RunView
from tunesmith_report.number_format import number, text

FILE = "rollouts.jsonl.gz"
MOST = 12  # collections: the first ones and the last
LONGEST = 400  # characters of one that are shown


def rollouts(view: RunView) -> list[dict[str, Any]]:
    """Per training step that has such a ledger: the optimizer steps before a collection, its mean reward, its best and its worst text."""
    tables = []
    for step in view.steps:
        found: dict[int, dict[str, Any]] = {}
        for one in _lines(view, step):
            if one.get("dropped") or one.get("reward") is None:
                continue
            entry = found.setdefault(one["collection"], {"at": one["version"], "sum": 0.0, "count": 0, "best": one, "worst": one})
            entry["sum"], entry["count"] = entry["sum"] + one["reward"], entry["count"] + 1
            for name, sign in (("best", 1), ("worst", -1)):
                if sign * one["reward"] > sign * entry[name]["reward"]:
                    entry[name] = one
        if found:
            shown = sorted(found)[: MOST - 1] + sorted(found)[MOST - 1 :][-1:]
            tables.append({"step": step, "count": len(found), "rows": [_row(found[at]) for at in shown]})
    return tables


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {name: {"reward": entry[name]["reward"], "text": str(entry[name]["text"])[:LONGEST]} for name in ("best", "worst")}
    return {"at": entry["at"], "reward": entry["sum"] / entry["count"], **chosen}


def _lines(view: RunView, step: str) -> Iterator[dict[str, Any]]:
    artifact = view.artifact(step)
    try:
        with gzip.open(artifact.path / FILE if artifact else "", "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)
    except (OSError, EOFError, ValueError):
        return


def table(facts: Mapping[str, Any]) -> str:
    """A row for each collection that is shown."""
    out = ""
    for step in facts["rollouts"]:
        body = "".join(
            f"<tr><td>{_when(row['at'])}</td><td>{number(row['reward'])}</td>{_cell(row['best'])}{_cell(row['worst'])}</tr>"
            for row in step["rows"]
        )
        head = "<tr><th>when</th><th>reward</th><th>best</th><th>worst</th></tr>"
        out += (
            f"<h2>Written while learning <small>{text(step['step'])}; {len(step['rows'])} of {step['count']} times</small></h2>"
            f'<div class="scroll"><table class="samples"><thead>{head}</thead><tbody>{body}</tbody></table></div>'
        )
    return out


def _cell(one: Mapping[str, Any]) -> str:
    return f'<td>{text(one["text"])}<span class="sub">score {number(one["reward"])}</span></td>'


def _when(step: int) -> str:
    return f"step {step}" if step else "before training"
