"""The plan: what the planner decides and the runner carries out. Pure data.

What is inserted for the pipeline's model carries the fields of its `ModelInfo` in `PlannedStep.settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.contracts.digests import HashedFile
from tunesmith.contracts.estimates import Estimate
from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith.contracts.resources import Resources
from tunesmith.contracts.step import Placement
from tunesmith.planning.placement.machine import Machine
from tunesmith.plugins.records import ProviderRecord
from tunesmith.units import bytes_text


@dataclass(frozen=True)
class Decision:
    """A choice with its reason, for the plan and the journal. `step` is empty for the whole pipeline."""

    step: str
    what: str
    reason: str


@dataclass(frozen=True)
class Choice:
    """The provider in a slot and its settings, defaults filled in."""

    record: ProviderRecord
    settings: Mapping[str, Any] = field(default_factory=dict)


def facts_of(verb: ProviderRecord, choices: Mapping[str, Choice]) -> dict[str, Any]:
    """The facts of a verb and of its main provider, and as ``produces`` the formats that come of both."""
    main = next((choices[slot].record for slot in (verb.produces_of, verb.main_kind) if slot in choices), verb)
    return {**verb.facts, **main.facts, "produces": list(main.produces or verb.produces)}


@dataclass(frozen=True)
class Alternative:
    """A way to fill a slot that was left to the planner, which compared several by their estimates.

    Args:
        settings: beside the provider's defaults; `words`, how the way is told from the provider's others.
        estimate: of one process; None where it can't be or nobody knows.
        needed: bytes of a device.
        verdict: why it was taken, or why not.
    """

    slot: str
    provider: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    processes: int = 1
    estimate: Estimate | None = None
    needed: float = 0.0
    verdict: str = ""
    taken: bool = False
    words: str = ""

    @property
    def seconds(self) -> float:
        return self.estimate.seconds if self.estimate else 0.0

    @property
    def decision(self) -> tuple[str, str]:
        """What was decided, and why, with the figures."""
        figures = (
            f"{bytes_text(self.needed)} of the device" if self.needed else "",
            f"{bytes_text(self.estimate.sent)} sent a step" if self.estimate and self.estimate.sent else "",
            f"{self.seconds:.3g} s a step" if self.seconds else "",
        )
        told = ", ".join(filter(None, figures))
        whole = " ".join((self.provider, *(f"{name}={value}" for name, value in self.settings.items())))
        return f"{self.slot}: {whole if self.taken else f'not {self.words}'}", self.verdict + (f" ({told})" if told else "")


@dataclass(frozen=True)
class Source:
    """Where an input comes from: another step's artifact, or a file or directory of the user's (then with its digest).

    `beside` is the digest of what else is read because a file names it, empty where it names nothing; `others` are those files.
    """

    format: str
    step: str = ""
    file: Path | None = None
    digest: str = ""
    beside: str = ""
    others: tuple[HashedFile, ...] = ()


@dataclass(frozen=True)
class PlannedStep:
    """One worker's work.

    Args:
        name: unique; ``tune``, ``tune.merge`` (inserted), ``score:tune:accuracy`` (one entry of a step over several).
        group: the step of the user's pipeline that it belongs to; one that the planner added is a group of its own.
        verb: the verb's record; its target is what the worker calls.
        choices: provider per slot; the main one under the verb's `main_kind`.
        settings: the verb's own settings.
        inputs: by input name.
        after: steps that must be done first though nothing of theirs is read (`needs:`).
        format: of the artifact it makes.
        environment: hash of what its plugins run in (in an isolated environment: of what they bring there); part of the cache key.
        recipe: of the isolated environment that it runs in; None: in the host's.
        lock: key of that environment, part of the cache key as well; empty while its packages are not resolved.
        inserted: added by the planner.
        alternatives: ways to fill a slot that were compared, the one that was taken among them.
        resources: what it takes of the machine while it runs.
        executor: what has it run elsewhere than on this machine; None: here.
        launcher: recipe of the isolated environment that the executor works in; None: the host's.
        source: the group that its main input comes from, before any conversion: what gates and tables call it (``tune``, ``model``).
    """

    name: str
    group: str
    verb: ProviderRecord
    choices: Mapping[str, Choice]
    settings: Mapping[str, Any]
    inputs: Mapping[str, Source]
    format: str
    after: tuple[str, ...] = ()
    seed: int = 0
    placement: Placement = field(default_factory=Placement)
    environment: str = "host"
    recipe: Recipe | None = None
    lock: str = ""
    inserted: bool = False
    estimate: Estimate | None = None
    source: str = ""
    alternatives: tuple[Alternative, ...] = ()
    resources: Resources = field(default_factory=Resources)
    executor: Choice | None = None
    launcher: Recipe | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What its verb and its main provider declare, and the formats that the provider makes."""
        return facts_of(self.verb, self.choices)

    @property
    def told(self) -> Mapping[str, Choice]:
        """The choices that make a difference to the step: what is said of it."""
        silent = {slot.name for slot in self.verb.slots if not slot.told}
        return {slot: choice for slot, choice in self.choices.items() if slot not in silent}


@dataclass(frozen=True)
class Gate:
    """A bound that a metric must keep for every source of a group: ``metric op value`` or ``metric op value x <metric of relative_to>``.

    `relative_to` is another source of the same group; `text` is what the user wrote.
    """

    group: str
    metric: str
    op: str
    value: float
    relative_to: str = ""
    text: str = ""


@dataclass(frozen=True)
class Plan:
    """Steps in an order in which they can run, and everything that was decided on the way.

    Args:
        path: the pipeline's file; None for one of Python's or of a single command.
        base: the folder that its relative paths start from.
        listeners: who is told of its runs and takes part in no step.
        machine: what its steps share.
    """

    name: str
    path: Path | None
    steps: tuple[PlannedStep, ...]
    gates: tuple[Gate, ...] = ()
    decisions: tuple[Decision, ...] = ()
    warnings: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()  # names of the user's steps, in the file's order
    text: str = ""  # of the pipeline's file, as it was read
    base: Path = Path()
    ignore_estimates: bool = False  # the user has overruled them: nothing is refused for want of memory or disk
    listeners: tuple[Choice, ...] = ()
    machine: Machine = field(default_factory=Machine)

    def __str__(self) -> str:
        from tunesmith.planning.plan_text import plan_text

        return plan_text(self)
