"""What a tracker is told of a step, for tests of trackers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, MetricPoint, StepFacts


def points(name: str, values: Iterable[float], begin: int = 0) -> list[MetricPoint]:
    """A series, a value at each step."""
    return [MetricPoint(name, value, begin + number) for number, value in enumerate(values)]


def tell_completions(tracker: Any, step: StepFacts, directory: Path) -> None:
    """Tell a tracker of a step that measures a loss twice and makes an adapter whose ``completions.jsonl`` holds what the model answered
    to "Who?" at steps 0 and 2: "Ann, 0 times" and "Ann, 2 times".

    Args:
        directory: of the artifact, which is made.
    """
    directory.mkdir()
    lines = [{"step": at, "prompt": "Who?", "completion": f"Ann, {at} times"} for at in (0, 2)]
    (directory / "completions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    tracker.metrics_reported(step=step, points=points("loss", [3.0, 2.5]))
    tracker.artifact_committed(step=step, artifact=Artifact("adapter/peft", directory))
    tracker.step_finished(step=step)
