"""Plans over the tiny verbs, made by hand, and a place to run them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tiny_verbs

from tunesmith.config import EnvironmentSettings, load_config
from tunesmith.contracts.resources import Resources
from tunesmith.contracts.settings import schema_of
from tunesmith.contracts.step import Placement
from tunesmith.errors import UserError
from tunesmith.planning.placement.machine import Machine
from tunesmith.planning.plan import Plan, PlannedStep, Source
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.plugins.registry import Registry, load_registry
from tunesmith.running.outcome import RunOutcome
from tunesmith.running.runner import Runner
from tunesmith_sdk.testing.recorder import Recorder

SMALL = Machine()
ALL = Resources(cores=1)  # of such a machine of one core, so that steps run one after the other


def verb(name: str, **more: Any) -> ProviderRecord:
    """The record of a function in `tiny_verbs`."""
    settings = {"settings": "tiny_verbs:CountSettings", "schema": schema_of(tiny_verbs.CountSettings)}
    return ProviderRecord("verb", name, "", f"tiny_verbs:{name}", "tiny", "1.0", **(settings | more))


def step(
    name: str, verb_name: str = "count", reads: str = "", after: tuple[str, ...] = (), processes: int = 1,
    resources: Resources = ALL, **settings: Any,
) -> PlannedStep:  # fmt: skip
    service = verb_name in ("answer", "faint")
    produces = {"answer": "endpoint/openai", "faint": "endpoint/openai", "ask": "report/metrics", "say": "report/metrics"}.get(
        verb_name, "numbers/plain"
    )
    return PlannedStep(
        name=name, group=name, verb=verb(verb_name, service=service, produces=(produces,)), choices={}, settings=settings,
        inputs={"from": Source("*", step=reads)} if reads else {}, format=produces, after=after, source=reads,
        placement=Placement(processes=processes), resources=resources,
    )  # fmt: skip


def plan(*steps: PlannedStep, **more: Any) -> Plan:
    return Plan("tiny", None, steps, **more)


@dataclass
class Place:
    """A home for runs: what `Config` says of places, and what the registry says of plugins."""

    home: Path
    cache: Path
    plugins: tuple[Plugin, ...] = ()
    required: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()
    verify: float = 2**30
    hang_timeout: float = 30.0
    jobs: int = 0
    group: str = ""
    refused: tuple[str, ...] = ()  # models that may not be used, by address or digest

    def check_model(self, uri: str, digest: str = "") -> None:
        if {uri, digest} & {*self.refused}:
            raise UserError("TS-MODEL-030", f"{uri} {digest}", fix="")

    @property
    def environments(self) -> EnvironmentSettings:
        return EnvironmentSettings(self.cache / "environments")

    def provider(self, kind: str, name: str) -> ProviderRecord:
        return self._registry.provider(kind, name)

    def providers(self, kind: str) -> Mapping[str, ProviderRecord]:
        return self._registry.providers(kind)

    @property
    def _registry(self) -> Registry:
        """What is installed: asked where a step needs an isolated environment."""
        return load_registry(load_config())

    @classmethod
    def at(cls, directory: Path) -> Place:
        return cls(directory / ".tunesmith", directory / "cache")

    def run(self, *steps: PlannedStep, resume: str | None = None, reporter: Recorder | None = None, **more: Any) -> RunOutcome:
        """Run these steps as a plan."""
        made = more.pop("plan", None) or plan(*steps)
        return Runner(made, self, self, reporter=reporter or Recorder(), **more).run(resume)

    def cancelled(self, *steps: PlannedStep, when: str, times: int = 1, machine: Machine = SMALL, **more: Any) -> tuple[RunOutcome, float]:
        """Run these steps, cancel when the reporter is told `when` for the first time; the outcome and how long stopping took."""
        at = 0.0

        class Impatient(Recorder):
            def __getattr__(self, name: str) -> Any:
                inner = super().__getattr__(name)

                def told(*arguments: Any, **named: Any) -> None:
                    nonlocal at
                    inner(*arguments, **named)
                    if name == when and not at:
                        at = time.monotonic()
                        for _ in range(times):
                            runner.cancel()

                return told

        runner = Runner(plan(*steps, machine=machine), self, self, reporter=Impatient(), **more)
        outcome = runner.run()
        return outcome, time.monotonic() - at


def text(outcome: RunOutcome, name: str) -> str:
    """The numbers that a count made."""
    return (outcome.artifacts[name].path / "numbers.txt").read_text()
