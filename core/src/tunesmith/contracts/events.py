"""What event hooks are told and may answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RunFacts:
    """A run of a pipeline.

    Args:
        directory: holds its plan, its logs and what plugins write about it.
        base: the folder that relative paths of the pipeline start from.
    """

    id: str
    pipeline: str
    directory: Path
    base: Path = Path()


@dataclass(frozen=True)
class StepFacts:
    """A step of a run.

    Args:
        attempt: counts from 1.
        settings: the verb's own.
        providers: by slot, with their settings.
        metrics: there once it has finished.
        inputs: digests by input, of those that are artifacts already: what an approval of exactly this model is about.
    """

    run: RunFacts
    name: str
    verb: str
    attempt: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    inputs: Mapping[str, str] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """The settings of the step and of its providers, flat, as trackers of experiments take them: ``learning_rate``, and by slot
        the provider's name (``adapter``) and its settings (``adapter.r``). Numbers, booleans and strings; all else as JSON."""
        flat = dict(self.settings)
        for slot, provider in self.providers.items():
            flat[slot] = provider["name"]
            flat |= {f"{slot}.{name}": value for name, value in provider["settings"].items()}
        return {name: value if isinstance(value, (bool, int, float, str)) else json.dumps(value) for name, value in flat.items()}


@dataclass(frozen=True)
class MetricPoint:
    """A number that a step measured while it ran.

    Args:
        name: of the series: ``loss``.
        value: may be no number or infinite.
        at: where in the step, counted as the step counts: of training, optimizer steps.
    """

    name: str
    value: float
    at: int


@dataclass(frozen=True)
class Remedy:
    """An answer to a failure: try the step again, with changed settings if that helps.

    Args:
        reason: a sentence; it is kept with the run.
        settings: values to change in the verb's settings; they must leave the result the same kind of thing (the effective batch size
            never changes silently).
        delay: seconds to wait first.
        resume: with the changed settings, go on from what the failed attempt left in its work directory; else a change begins anew.
    """

    reason: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    delay: float = 0.0
    resume: bool = False
