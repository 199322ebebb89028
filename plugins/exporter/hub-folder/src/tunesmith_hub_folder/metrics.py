"""What evaluations have measured, with their intervals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.contracts import Artifact
from tunesmith_hub_folder.lineage import Made, lineage


@dataclass(frozen=True)
class Metric:
    """A number with its 95 % bounds, if the evaluator gives them; `on`: what was evaluated, where it was something else."""

    evaluator: str
    name: str
    value: float
    low: float | None
    high: float | None
    rows: int
    on: str


def metrics_of(reports: Sequence[Artifact], digest: str) -> list[Metric]:
    """
    Args:
        digest: of what is exported.
    """
    found: list[Metric] = []
    for report in reports:
        made = lineage(report)
        values = json.loads((report.path / "metrics.json").read_text("utf-8"))
        names = [name for name in values if name.rpartition("/")[2] not in ("low", "high")]
        found += [
            Metric(
                str(report.producer.get("name", "")), name, values[name], values.get(f"{name}/low"), values.get(f"{name}/high"),
                int(report.meta.get("samples", 0)), _on(made, digest),
            )
            for name in names
        ]  # fmt: skip
    return found


def _on(made: Sequence[Made], digest: str) -> str:
    """What was asked: nothing to say where it was this artifact."""
    inputs = made[-1].record.get("inputs") or {}
    asked = str(inputs.get("model", ""))
    if asked == digest:
        return ""
    other = next((one for one in made if one.digest == asked), None)
    return f"{other.record.get('format')} `{asked[7:19]}`" if other else "another model" if asked else "unknown"
