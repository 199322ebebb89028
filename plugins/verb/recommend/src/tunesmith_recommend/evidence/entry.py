"""What the knowledge base keeps of a step that was run: features, settings, predictions, what was measured. No names of files, no texts, no
words of the user's: numbers, digests, and names of providers and devices."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tunesmith_recommend.evidence.predictions import StepPrediction, read_predictions

if TYPE_CHECKING:
    from tunesmith import RunView
    from tunesmith.contracts.artifacts import Artifact
    from tunesmith.planning.plan import PlannedStep
    from tunesmith.running.store.store import Store

TIME, MEMORY, DISK, QUALITY = "time", "memory", "disk", "quality"
LOSS = "validation_loss"  #: what quality is: of rows that were not trained on, lower is better
UNIT, PEAK, WORK = "step_seconds", "peak_memory", "checkpoint_bytes"  #: series in which training tells what its prediction is held against
PROCESS = "process_peak_memory"  #: that which the kernel notes of every step: resident memory of its process
DTYPES = ("auto", "float32", "bfloat16", "float16")
_KINDS = ("objective", "adapter", "strategy", "optimizer", "quantizer", "exporter", "evaluator", "inference_backend")


_TEXT, _NAME, _NUMBER = {"type": "string"}, {"type": "string", "minLength": 1}, {"type": "number"}
_NUMBERS = {"type": "object", "additionalProperties": _NUMBER}
_AMOUNT = {"anyOf": [_NUMBER, {"type": "null"}]}
_KNOWN = {"bytes": _NUMBER, "type": _TEXT, "rows": _NUMBER, "characters": _NUMBER, "format": _TEXT, "digest": _TEXT}
_OF = {"type": "object", "additionalProperties": False, "properties": _KNOWN}
_GRADE = {
    "type": "object", "required": ["what"], "additionalProperties": False,
    "properties": {"what": _TEXT, "predicted": _AMOUNT, "measured": _AMOUNT},
}  # fmt: skip
#: of an entry that somebody else has exported
SCHEMA: dict[str, Any] = {
    "type": "object", "required": ["id", "home", "finished", "verb", "grades"], "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("id", "home"), _NAME), **dict.fromkeys(("verb", "device", "backend", "dtype"), _TEXT),
        **dict.fromkeys(("finished", "seconds", "units"), _NUMBER), **dict.fromkeys(("settings", "results"), _NUMBERS),
        "providers": {"type": "object", "additionalProperties": _TEXT}, "data": _OF, "model": _OF,
        "grades": {"type": "array", "items": _GRADE},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Grade:
    """A prediction beside what was measured; both None where nobody knew, or nobody measured.

    Args:
        what: `TIME` in seconds of a unit of work, `MEMORY` or `DISK` in bytes, `QUALITY` as `LOSS`.
    """

    what: str
    predicted: float | None = None
    measured: float | None = None

    @property
    def ratio(self) -> float | None:
        """Measured by predicted: above 1, more was needed than was said."""
        return self.measured / self.predicted if self.predicted and self.measured else None


@dataclass(frozen=True)
class Entry:
    """A step of a finished run.

    Args:
        id: of the step in the run in the home; `home`: which home, as a number that says nothing.
        finished: seconds since the epoch.
        device, backend: what it ran on.
        providers: kind -> name.
        settings: those that are numbers, true or false; a provider's with its kind before them (``adapter.r``).
        dtype: that was asked for; empty where the verb has none.
        data: ``rows``, ``characters``, ``format`` and ``digest`` of the rows.
        model: ``bytes``, ``type`` and ``digest``.
        seconds: of the whole step; `units`: of its work.
        results: what was measured of what it made, by itself and by evaluations of the same run.
    """

    id: str
    home: str
    finished: float
    verb: str
    device: str = ""
    backend: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    grades: tuple[Grade, ...] = ()
    seconds: float = 0.0
    units: int = 0
    dtype: str = ""
    results: Mapping[str, float] = field(default_factory=dict)

    def ratio(self, what: str) -> float | None:
        return next((grade.ratio for grade in self.grades if grade.what == what), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Entry:
        """
        Raises:
            TypeError, KeyError, ValueError, AttributeError: it is not what `to_json` gave.
        """
        found = cls(**{**told, "grades": tuple(Grade(**grade) for grade in told["grades"])})
        if not (isinstance(found.id, str) and found.id and isinstance(found.verb, str)):
            raise ValueError("an entry without an id")
        return found


def entries_of(view: RunView, home: str) -> list[Entry]:
    """Of the steps that a run has carried out itself, and that came to their end."""
    predicted = read_predictions(view.directory)
    found = []
    for step in view.plan.steps:
        seen = view.steps.get(step.name)
        if seen and seen.row.state == "done" and not seen.row.cached and step.estimate:
            found.append(_entry(view, step, predicted.get(step.name, StepPrediction()), home))
    return found


def _entry(view: RunView, step: PlannedStep, told: StepPrediction, home: str) -> Entry:
    seen, series = view.steps[step.name], view.series(step.name)
    units = [value for _, value in series.get(UNIT, ()) if math.isfinite(value)]
    of_device = series.get(PEAK) or (series.get(PROCESS) if step.placement.torch == "cpu" else None)
    peak = max((value for _, value in of_device or ()), default=0.0)
    memory = (told.memory or (step.estimate.memory if step.estimate else 0.0)) - told.context
    disk, size = told.disk or (step.estimate.disk if step.estimate else 0.0), view.size(step.name)
    work = max((value for _, value in series.get(WORK, ())), default=0.0)
    grades = (
        Grade(TIME, told.seconds or None, sum(units) / len(units) if units else None),
        Grade(MEMORY, memory or None, _finite(peak)),
        Grade(DISK, disk or None, size + work if size else None),
        Grade(QUALITY, told.quality or None, _finite(seen.metrics.get(LOSS))),
    )
    return Entry(
        id=hashlib.sha256(f"{home}\0{view.row.id}\0{step.name}".encode()).hexdigest()[:24], home=home, finished=seen.row.finished or 0.0,
        verb=step.verb.name, device=told.device, backend=step.placement.device,
        providers={choice.record.kind: choice.record.name for choice in step.choices.values() if choice.record.kind in _KINDS},
        settings=_numbers(view, step), data=_data(view, step), model=_model(view, step), grades=grades, seconds=seen.seconds or 0.0,
        units=len(units), dtype=dtype_of(step.settings), results=_results(view, step),
    )  # fmt: skip


def _finite(value: float | None) -> float | None:
    """What was measured; None where nothing was, or it is no number: of a training that came apart."""
    return value if value and math.isfinite(value) else None


def dtype_of(settings: Mapping[str, Any]) -> str:
    """The dtype that settings ask for, if it is one: no word of a user's."""
    asked = settings.get("dtype")
    return asked if asked in DTYPES else ""


def _numbers(view: RunView, step: PlannedStep) -> dict[str, float]:
    """Settings in force that are numbers, true or false: words may be the user's own."""
    made = view.steps[step.name].made
    found = {**step.settings, **(made.producer.get("step", {}) if made else {})}
    for choice in step.choices.values():
        found |= {f"{choice.record.kind}.{name}": value for name, value in choice.settings.items()}
    return {name: float(value) for name, value in found.items() if isinstance(value, (bool, int, float)) and math.isfinite(value)}


def _data(view: RunView, step: PlannedStep) -> dict[str, Any]:
    source = step.inputs.get("data")
    return rows_of(view.artifact(source.step) if source and source.step in view.steps else None)


def rows_of(made: Artifact | None) -> dict[str, Any]:
    """What is kept of rows; nothing where there are none."""
    if made is None:
        return {}
    rows, characters = made.meta.get("rows", 0), made.meta.get("characters", 0)
    return {"rows": rows, "characters": characters, "format": made.format, "digest": made.digest}


def _model(view: RunView, step: PlannedStep) -> dict[str, Any]:
    main = step.inputs.get(step.verb.inputs[0].name) if step.verb.inputs else None
    made = view.artifact(main.step) if main and main.step in view.steps else None
    return model_of(made, view.size(main.step) or 0) if main and made else {}


def main_model(made: Artifact | None, store: Store) -> dict[str, Any]:
    """`model_of` an artifact of a store; nothing where there is none."""
    return model_of(made, store.size(made.digest) or 0) if made else {}


def model_of(made: Artifact, size: int) -> dict[str, Any]:
    """What is kept of a model of so many bytes."""
    try:
        config = json.loads((made.path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = {}
    kind = config.get("model_type", "") if isinstance(config, dict) else ""
    return {"bytes": size, "type": str(kind), "digest": made.digest}


def _results(view: RunView, step: PlannedStep) -> dict[str, float]:
    found = dict(view.steps[step.name].metrics)
    for other in view.plan.steps:
        if other.source == step.group and other.format.startswith("report/") and other.name in view.steps:
            found |= view.steps[other.name].metrics
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}
