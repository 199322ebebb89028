"""What a check on the host's side is given: the means to start workers of the provider under test."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, Placement
from tunesmith.contracts.settings import fill
from tunesmith.plugins.records import ProviderRecord
from tunesmith.running.worker.processes import Work
from tunesmith_sdk.conformance import catalog, plugin_kinds
from tunesmith_sdk.conformance.author_functions import missing
from tunesmith_sdk.conformance.author_settings import Declared
from tunesmith_sdk.conformance.bench.composed_step import Composed
from tunesmith_sdk.conformance.bench.environments import Place
from tunesmith_sdk.conformance.bench.worker_process import Running, logs_below, running
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun
from tunesmith_sdk.conformance.materials import author_settings_process
from tunesmith_sdk.conformance.materials.materials import Materials

WORKER = "tunesmith_sdk.conformance.bench.worker"


class Bench:
    """One provider under test, from the host's side.

    Args:
        scratch: a directory of the examination's own.
    """

    def __init__(self, record: ProviderRecord, place: Place, declared: Declared, materials: Materials, scratch: Path) -> None:
        self.record, self.place, self.declared, self.materials = record, place, declared, materials
        self.scratch = scratch / f"{record.kind}.{record.name}"
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.values: Mapping[str, Any] = declared.settings.get(f"{record.kind}.{record.name}", {})
        self.kept: Any = None  #: what the checks of a kind share: an endpoint, a training's results
        self.stack = ExitStack()  #: what is to be ended with the examination of the provider
        self.ranks = 1
        self.killed = ""  #: the work directory of a step of this provider that was killed, once there is one
        self.stopped: tuple[Running, Path] | None = None  #: workers that have heeded a cancel and began again, and where they work now

    def begin(self) -> None:
        """Complete the settings by those that its author's `settings` gives, which hold until the stack is closed.

        Raises:
            NotRun, CheckFailed: they can't be had.
        """
        record = self.record
        self.values = self.stack.enter_context(author_settings_process.held(self.materials, record, self.values))
        if setting := str(record.facts.get("ranks", "")):  # of a trainer strategy
            self.ranks = max(2, record.ranks({**fill(record.schema, {}), **self.values}))
            self.values = {**self.values, setting: self.ranks}

    def folder(self, name: str) -> Path:
        """A new empty directory."""
        number = len(list(self.scratch.iterdir()))
        path = self.scratch / f"{number:02d}-{name}"
        path.mkdir()
        return path

    def source(self) -> Artifact:
        """An artifact that the provider accepts.

        Raises:
            NotRun: neither the kit nor the plugin's author makes one.
        """
        found = self.materials.source(self.record, self.values)
        if found["source"].startswith("!"):
            raise NotRun(found["source"][1:], where="give one: `source` in the author's file")
        return Artifact(found["source-format"], Path(found["source"]))

    @contextmanager
    def working(
        self, entry: str, *, work: Path | None = None, output: Path | None = None, checks: Sequence[str] = (), ranks: int = 1,
        extra: Mapping[str, Any] | None = None, step: Mapping[str, Any] | None = None,
    ) -> Iterator[Running]:  # fmt: skip
        """Workers of the provider, started and not yet done.

        Args:
            entry: ``module:function`` that they call.
            ranks: how many.
            step: fields of the step to send in place of the kit's own.
        """
        start, device = self._start()
        output, work = output or self.folder("output"), work or self.folder("work")
        rendezvous = f"file://{self.folder('meeting') / 'rendezvous'}" if ranks > 1 else ""
        requests = [
            {
                "name": f"{self.record.kind}.{self.record.name}", "output": str(output), "work": str(work), "seed": 1, "inputs": {},
                "placement": dataclasses.asdict(Placement(device, self._torch(device), rank, ranks, rendezvous)),
                "settings": self._request(checks, extra or {}), "settings_class": "tunesmith_sdk.conformance.bench.request:Request",
                "distribution": "tunesmith-sdk", "choices": {}, **(step or {}),
            }
            for rank in range(ranks)
        ]  # fmt: skip
        with running(Work(self.record.name, entry, tuple(requests), logs_below(self.scratch / "logs"), start, self.scratch)) as started:
            yield started

    @contextmanager
    def acting(self, *, work: Path | None = None, again: Path | None = None) -> Iterator[Running]:
        """The provider at its usual work: what cancelling and killing are tried on.

        Args:
            again: where it works once more when it has been asked to stop and has.
        """
        if self.record.kind == "inference_backend":
            from tunesmith_sdk.conformance.hosted.serving import SERVE, serve_request

            with self.working(SERVE, work=work, step=serve_request(self)) as worker:
                yield worker
        else:
            extra = {"again": str(again)} if again else {}
            with self.working(f"{WORKER}:act", work=work, ranks=self.ranks, extra=extra) as worker:
                yield worker

    @property
    def repeats(self) -> bool:
        """Whether one process can do the usual work a second time."""
        return self.record.kind != "inference_backend" and self.ranks == 1 and self._heavy()

    def composed(self) -> Composed | None:
        """A verb's step in which other providers take part; None for what needs none.

        Raises:
            NotRun: it does, and its author gives no pipeline.
            CheckFailed: what is wrong with that pipeline.
        """
        if isinstance(self._composed, Exception):
            raise self._composed
        return self._composed

    @cached_property
    def _composed(self) -> Composed | NotRun | CheckFailed | None:
        record = self.record
        try:
            pipeline, folder = self.materials.asked("pipeline", record, self.values) if record.kind == "verb" else (None, Path())
            if pipeline is not None:
                from tunesmith_sdk.conformance.hosted.pipelines import compose

                return compose(record, pipeline, self.place.registry, self.place.config, folder)
        except (NotRun, CheckFailed) as error:
            return error
        return missing("pipeline") if record.slots or record.main_kind else None

    def _start(self) -> tuple[Any, str]:
        if isinstance(self._composed, Composed):
            device = str(self._composed.step["placement"]["device"])
            return self.place.start(device, self._composed.plugins), device
        named = "cpu" if self.record.kind == "device_backend" else self.declared.devices.get(f"{self.record.kind}.{self.record.name}")
        device = named or self.place.device(self.record)
        return self.place.start(device), device

    def _heavy(self) -> bool:
        """Whether its plugin asks for something to run with."""
        return bool(self.place.plugin.runtime or self.place.plugin.environment_spec.runtime)

    def _torch(self, device: str) -> str:
        found = self.place.registry.providers("device_backend").get(device)
        return str(found.facts.get("torch", device)) if found else device

    def _request(self, checks: Sequence[str], extra: Mapping[str, Any]) -> dict[str, Any]:
        names = catalog.MATERIALS.get(self.record.kind, ("rows",))
        kind = plugin_kinds.all_kinds().get(self.record.kind)
        materials = {name: self.materials.get(name) for name in names} | self.materials.source(self.record, self.values)
        if self.killed:
            materials["killed"] = self.killed
        return {
            "record": dataclasses.asdict(self.record), "kind": dataclasses.asdict(kind) if kind else {},
            "kinds": list(self.place.registry.apis), "checks": list(checks), "values": dict(self.values), "materials": materials,
            "tolerances": dict(self.declared.tolerances), "author": self.declared.author,
            "extra": {"heavy": self._heavy(), **self._composition(), **extra},
        }  # fmt: skip

    def _composition(self) -> dict[str, Any]:
        """What a worker is told of a step in which others take part, or of why there is none."""
        composed = self._composed
        if isinstance(composed, NotRun):
            return {"refused": ["not run", composed.reason, composed.where]}
        if isinstance(composed, CheckFailed):
            return {"refused": ["failed", composed.what, composed.fix]}
        return {"composed": composed.step, "format": composed.format} if composed else {}
