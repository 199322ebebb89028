"""What is known of a training step of a run, as rules look at it."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunesmith_recommend.diagnosis.curve import Curve

if TYPE_CHECKING:
    from tunesmith import RunView
    from tunesmith.planning.plan import PlannedStep

LOSS, VALIDATION, RATE, EPOCHS = "loss", "validation_loss", "learning_rate", "num_train_epochs"


@dataclass(frozen=True)
class Training:
    """
    Args:
        step: its name; `group`: of the user's pipeline.
        file: the pipeline's, as it is typed; empty for a single command.
        loss, validation: its series.
        gradients: norms of the gradients, by step.
        settings: in force.
        usual_rate: learning rate that the adapter and the objective say of themselves; 0 where they don't.
        warnings: of the step.
        error: that it failed with.
        rows: per optimizer step the numbers of the rows that it was of, with their losses.
        ended: whether it came to its end.
        data: file of the rows; `model`: what is trained, as commands take it; empty where they are not known, or more than one.
    """

    step: str
    group: str
    file: str
    loss: Curve
    validation: Curve
    gradients: Sequence[float] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    usual_rate: float = 0.0
    warnings: Sequence[str] = ()
    error: Mapping[str, Any] | None = None
    rows: Mapping[int, Sequence[tuple[int, float]]] = field(default_factory=dict)
    data: str = ""
    model: str = ""
    ended: bool = True

    @property
    def rate(self) -> float:
        return float(self.settings.get(RATE) or 0.0)

    def command(self, **settings: Any) -> str:
        """The run again with other settings; of a run of a single command, what to add to that."""
        if not self.file:
            words = [f"--{name.replace('_', '-')} {_written(value)}" for name, value in settings.items()]
            return f"the same command with {' '.join(words)}"
        changes = [f"--set steps.{self.group}.settings.{name}={_written(value)}" for name, value in settings.items()]
        return " ".join(["tunesmith", "run", shlex.quote(self.file), *changes])

    def preview(self, rows: Sequence[int] = ()) -> str:
        """The command that shows what is trained on in some of the rows; empty where their file is not known."""
        if not self.data:
            return ""
        words = ["tunesmith", "data", "preview", self.data, *(["--model", self.model] if self.model else [])]
        return shlex.join([*words, *(word for row in rows for word in ("--row", str(row)))])


def trainings(view: RunView) -> list[Training]:
    """The steps of a run that have told a loss, or failed before they could."""
    found = []
    for step in view.plan.steps:
        seen = view.steps.get(step.name)
        series = view.series(step.name) if seen else {}
        if seen and "objective" in {choice.record.kind for choice in step.choices.values()} and (series.get(LOSS) or seen.row.error):
            found.append(_training(view, step, series))
    return found


def _training(view: RunView, step: PlannedStep, series: Mapping[str, Sequence[tuple[int, float]]]) -> Training:
    seen = view.steps[step.name]
    made = seen.made
    settings = {**step.settings, **(made.producer.get("step", {}) if made else {})}
    told = [text for _, _, kind, text in view.events(step.name) if kind == "warning"]
    file = str(view.plan.path) if view.plan.path else ""
    return Training(
        step.name, step.group, file, Curve.of(series.get(LOSS, ())), Curve.of(series.get(VALIDATION, ())),
        [value for _, value in series.get("grad_norm", ())], settings, _usual_rate(step), told, seen.row.error, _ledger(view, step.name),
        _data_file(view, step), _model(view), made is not None,
    )  # fmt: skip


def _usual_rate(step: PlannedStep) -> float:
    """What the adapter says of itself (`facts["recommend"]`), times what the objective says of it."""
    rate, times = 0.0, 1.0
    for choice in step.choices.values():
        told = choice.record.facts.get("recommend") or ()
        first = told if isinstance(told, Mapping) else next(iter(told), {})
        rate = float(first.get("step", {}).get(RATE, rate))
        times *= float(first.get("times", {}).get(RATE, 1.0))
    return rate * times


def _ledger(view: RunView, step: str) -> dict[int, list[tuple[int, float]]]:
    """Of the artifact; of a step that gave none nothing is known."""
    artifact = view.artifact(step)
    found: dict[int, list[tuple[int, float]]] = {}
    try:
        with open(artifact.path / "samples.jsonl" if artifact else "", encoding="utf-8") as lines:
            for line in map(json.loads, lines):
                if "losses" in line:
                    found[int(line["step"])] = list(zip(line["rows"], map(float, line["losses"]), strict=True))
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found


def _data_file(view: RunView, step: PlannedStep) -> str:
    """Of the step's rows: the one file that the step which prepared them has read."""
    source = step.inputs.get("data")
    prepared = next((one for one in view.plan.steps if source and one.name == source.step), None)
    files = [one.file for one in (source, *(prepared.inputs.values() if prepared else ())) if one and one.file]
    return str(files[0]) if len(files) == 1 else ""


def _model(view: RunView) -> str:
    """The pipeline's, as a command takes it."""
    named = [step.settings.get("uri") for step in view.plan.steps if step.inserted and step.settings.get("uri")]
    return str(named[0]) if len(named) == 1 else ""


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, (int, float)) and math.isfinite(value) else str(value)
