"""The step as its code sees it: `tunesmith.contracts.step.Step`, made from what the host sends or, in a test, by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact, Result
from tunesmith.contracts.step import Placement
from tunesmith.errors import Cancelled, TunesmithError, did_you_mean
from tunesmith.isolation.metric_log import PointsFile
from tunesmith.isolation.provider_import import build_provider, load, settings_of

PROGRESS_INTERVAL = 0.1  # seconds between two progress reports of one task

Notify = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Chosen:
    """A provider as the worker is told of it."""

    kind: str
    target: str
    settings_class: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    distribution: str = ""


def _silent(method: str, params: Mapping[str, Any]) -> None:
    """Where nobody listens."""


class WorkerStep:
    """A running step. Every report goes to `notify` as (method, params) of the worker protocol.

    Args:
        providers: by slot: an object that is already built, or a `Chosen` to build at the first call.
        pipeline: name of the pipeline; the step's where there is none.
        cancelled: set when the step is to stop.
        cache: default: in `work`.
        examiners: slots of those who are asked about what the step has made.
    """

    def __init__(
        self, *, name: str, pipeline: str = "", output: Path, work: Path, inputs: Mapping[str, Artifact] | None = None,
        sources: Mapping[str, str] | None = None, settings: Any = None, seed: int = 0, placement: Placement | None = None,
        providers: Mapping[str, Any] | None = None, notify: Notify = _silent, cancelled: threading.Event | None = None,
        cache: Path | None = None, refresh: bool = False, roots: Sequence[Path] = (), facts: Mapping[str, Any] | None = None,
        examiners: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.name, self.pipeline, self.output, self.work = name, pipeline or name, Path(output), Path(work)
        self.cache = Path(cache) if cache else self.work / "cache"
        self.roots, self.facts, self.examiners = tuple(roots), dict(facts or {}), tuple(examiners)
        self.inputs, self.sources = dict(inputs or {}), dict(sources or {})
        self.settings, self.seed, self.placement = settings, seed, placement or Placement()
        self.refresh = refresh
        self.cancelled = cancelled or threading.Event()
        self._providers = dict(providers or {})
        self._slot_of = {chosen.kind: slot for slot, chosen in self._providers.items() if isinstance(chosen, Chosen)}
        self.notify = notify
        self._told: dict[str, float] = {}
        self._points = PointsFile(self.work)

    @classmethod
    def from_json(cls, data: Mapping[str, Any], notify: Notify, cancelled: threading.Event) -> WorkerStep:
        """From the `step` of a ``run`` request."""
        return cls(
            name=data["name"], pipeline=data.get("pipeline", ""), output=Path(data["output"]), work=Path(data["work"]), seed=data["seed"],
            inputs={name: Artifact.from_json(artifact) for name, artifact in data["inputs"].items()},
            sources=data.get("sources"), settings=settings_of(data["settings_class"], data["settings"], data["distribution"]),
            placement=Placement(**data["placement"]), providers={slot: Chosen(**chosen) for slot, chosen in data["choices"].items()},
            notify=notify, cancelled=cancelled, cache=Path(data["cache"]) if data.get("cache") else None,
            refresh=bool(data.get("refresh")), roots=tuple(map(Path, data.get("roots", ()))), facts=data.get("facts"),
            examiners=data.get("examiners", ()),
        )  # fmt: skip

    def provider(self, slot: str) -> Any:
        slot = slot if slot in self._providers else self._slot_of.get(slot, slot)
        if slot not in self._providers:
            raise TunesmithError(
                "TS-RUN-018", f"The step `{self.name}` has no provider in the slot `{slot}`",
                fix=did_you_mean(slot, self._providers),
            )  # fmt: skip
        chosen = self._providers[slot]
        if isinstance(chosen, Chosen):
            chosen = build_provider(chosen.target, chosen.settings_class, chosen.settings, chosen.distribution)
            self._providers[slot] = chosen
        return chosen

    def progress(self, done: float, total: float | None = None, *, what: str = "", unit: str = "") -> None:
        now = time.monotonic()
        if done != total and now - self._told.get(what, 0.0) < PROGRESS_INTERVAL:
            return
        self._told[what] = now
        total = None if total is None else float(total)
        self.notify("$/progress", {"done": float(done), "total": total, "what": what, "unit": unit})

    def log(self, message: str, level: str = "info") -> None:
        self.notify("$/log", {"message": str(message), "level": str(level)})

    def metric(self, name: str, value: float, at: int) -> None:
        point = {"name": name, "value": float(value), "at": int(at)}
        if self.notify is not _silent and self.placement.rank == 0:
            self._points.add(point)
        self.notify("$/metric", point)

    def decide(self, what: str, reason: str) -> None:
        self.notify("$/decision", {"what": str(what), "reason": str(reason)})

    def ready(self, **facts: Any) -> None:
        self.notify("$/ready", facts)

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled(self.name)

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        return self.cancelled.wait(timeout)


def run_entry(entry: str, step: WorkerStep, distribution: str = "") -> Mapping[str, Any]:
    """Call ``module:function`` with the step, then those who examine what it made, in one process of its ranks.

    Returns:
        The result of a ``run`` request.
    """
    result = load(entry, distribution)(step) or Result()
    for slot in step.examiners if step.placement.rank == 0 else ():
        result = step.provider(slot).check(step, result)
    return {
        "format": result.format, "refs": dict(result.refs), "meta": dict(result.meta),
        "metrics": {name: float(value) for name, value in result.metrics.items()},
    }  # fmt: skip
