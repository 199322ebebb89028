"""A step without a worker: the real `Step`, in the test's own process, that keeps what it is told."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, Placement
from tunesmith.isolation.worker_step import WorkerStep


@dataclass
class Reports:
    """What a step reported, by kind."""

    logs: list[tuple[str, str]] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    progress: list[Mapping[str, Any]] = field(default_factory=list)
    decisions: list[tuple[str, str]] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, method: str, params: Mapping[str, Any]) -> None:
        if method == "$/log":
            self.logs.append((params["level"], params["message"]))
        elif method == "$/metric":
            self.metrics.setdefault(params["name"], []).append(params["value"])
        elif method == "$/progress":
            self.progress.append(params)
        elif method == "$/decision":
            self.decisions.append((params["what"], params["reason"]))
        elif method == "$/ready":
            self.facts = params
            self.ready.set()


class LocalStep(WorkerStep):
    """A `WorkerStep` whose reports lie in `reports`; ``cancelled.set()`` asks it to stop."""

    reports: Reports

    @classmethod
    def make(
        cls,
        directory: Path,
        *,
        name: str = "step",
        inputs: Mapping[str, Artifact] | None = None,
        sources: Mapping[str, str] | None = None,
        settings: Any = None,
        providers: Mapping[str, Any] | None = None,
        seed: int = 0,
        placement: Placement | None = None,
    ) -> LocalStep:
        """A step with fresh ``output`` and ``work`` directories below `directory`; `providers` are objects, by slot."""
        output, work = Path(directory) / "output", Path(directory) / "work"
        output.mkdir(parents=True, exist_ok=True)
        work.mkdir(parents=True, exist_ok=True)
        reports = Reports()
        step = cls(
            name=name, output=output, work=work, inputs=inputs, sources=sources, settings=settings, seed=seed, placement=placement,
            providers=providers, notify=reports,
        )  # fmt: skip
        step.reports = reports
        return step
