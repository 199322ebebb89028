"""What a single step would need, from a model's configuration and settings alone: no data, no weights, nothing is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.device_backend import Device
from tunesmith.contracts.estimates import Estimate
from tunesmith.errors import TunesmithError
from tunesmith.planning.advice import Advice
from tunesmith.planning.building import placement
from tunesmith.planning.casting import PRODUCER, Candidates, Caster
from tunesmith.planning.choices import Chooser
from tunesmith.planning.estimates import estimate
from tunesmith.planning.formats import converters
from tunesmith.planning.grammar import AUTO, Wanted
from tunesmith.planning.notes import Notes
from tunesmith.planning.plan import Choice, Decision
from tunesmith.planning.products import Product
from tunesmith.planning.spec import PipelineSpec
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry


@dataclass(frozen=True)
class Foreseen:
    """A step that was looked at.

    Args:
        choices: provider per slot.
        device: name of the backend; empty where nothing was found to compute on.
        memory: bytes of that device that one process may use; 0 if unknown.
        free: of these, bytes free now.
        estimate: None where nobody knows.
        problems: why it can't be done like this.
    """

    choices: Mapping[str, Choice]
    device: str
    memory: float
    free: float
    estimate: Estimate | None
    decisions: tuple[Decision, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[TunesmithError, ...] = ()

    @property
    def fits(self) -> bool | None:
        """None where it is not known."""
        if self.problems:
            return False
        return self.estimate.memory <= self.memory if self.estimate and self.memory else None


@dataclass
class Foresight:
    """Looks at steps on one model.

    Args:
        devices: what this machine has, by device backend.
        asked: device backend to compute on.
        advice: asks the estimators.
        product: the model.
        data: statistics of the rows, as `EstimateRequest.data`.
    """

    registry: Registry
    devices: Mapping[str, Sequence[Device]]
    product: Product
    data: Mapping[str, Any] = field(default_factory=dict)
    asked: str = AUTO
    advice: Advice = field(default_factory=Advice)

    def of(self, record: ProviderRecord, settings: Mapping[str, Any], slots: Mapping[str, Wanted]) -> Foreseen:
        """A step of the verb `record` with those settings and, by slot, those providers (its main one among them)."""
        notes = Notes()
        spec = PipelineSpec(record.name, "", {}, Path.cwd(), device=self.asked)
        chooser = Chooser(spec, self.registry, notes)
        caster = Caster(chooser, converters(self.registry), self.devices)
        values = chooser.settings(record, settings, ("settings",))
        candidates = {slot: self._candidates(wanted, chooser, caster) for slot, wanted in slots.items()}
        if values is None or not all(candidates.values()):
            return Foreseen({}, "", 0.0, 0.0, None, problems=tuple(notes.problems))
        verb = Choice(record, values)
        casting = caster.cast(verb, candidates, {record.inputs[0].name: self.product}, caster.usual)
        if casting.objection:
            notes.problem(
                "TS-PLAN-003",
                casting.objection,
                fix="Name another provider, or another device: `tunesmith plugin info NAME` says what each can do.",
            )
        name = casting.device.name if casting.device else ""
        found = estimate(
            record.name, verb, casting.choices, shape=self.product.shape, size=self.product.size, data=self.data, device=name or "cpu",
            notes=notes, advice=self.advice,
        )  # fmt: skip
        here = self.devices.get(name, ())
        shared = -(-placement(casting).processes // len(here)) if here else 1
        memory, free = (min((getattr(device, key) for device in here), default=0.0) / shared for key in ("memory", "free"))
        return Foreseen(
            casting.choices, name, memory, free, found, tuple(notes.decisions), tuple(notes.warnings), tuple(notes.problems)
        )  # fmt: skip

    def _candidates(self, wanted: Wanted, chooser: Chooser, caster: Caster) -> Candidates:
        if wanted.name == PRODUCER and not wanted.settings:
            return PRODUCER
        if wanted.name == AUTO and not wanted.settings:
            return caster.candidates(wanted.kind)
        choice = chooser.named(wanted)
        return (choice,) if choice else ()
