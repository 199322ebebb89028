"""What a single step would need, from a model's configuration and settings alone: no data, no weights, nothing is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.estimates import Estimate
from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.contracts.step import Placement
from tunesmith.errors import TunesmithError
from tunesmith.planning.estimates.alternatives import Alternatives
from tunesmith.planning.estimates.device_memory import Capacity
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith.planning.estimates.memory_and_disk import estimate
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith.planning.pipeline.step_syntax import AUTO, ProviderSpec
from tunesmith.planning.placement.processes import placement
from tunesmith.planning.plan import Alternative, Choice, Decision
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.format_conversion import converters
from tunesmith.planning.providers.lookup import ProviderLookup
from tunesmith.planning.providers.selection import PRODUCER, Candidates, Selection, Selector
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry


@dataclass(frozen=True)
class StepEstimate:
    """A step that was looked at.

    Args:
        choices: provider per slot.
        device: name of the backend; empty where nothing was found to compute on.
        capacity: what the step finds there.
        estimate: of one process; None where nobody knows.
        problems: why it can't be done like this.
        alternatives: ways to fill a slot that were compared.
        processes: that the step is reckoned in; `devices`: that are there for them.
    """

    choices: Mapping[str, Choice]
    device: str = ""
    capacity: Capacity = field(default_factory=Capacity)
    estimate: Estimate | None = None
    decisions: tuple[Decision, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[TunesmithError, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    processes: int = 1
    devices: int = 1

    @property
    def needed(self) -> float:
        """Bytes of the device; 0 if unknown."""
        return self.capacity.needed(self.estimate) if self.estimate else 0.0

    @property
    def host(self) -> float:
        """Bytes of the host's memory for each device; 0 if none or unknown."""
        return self.capacity.of_host(self.estimate) if self.estimate else 0.0

    @property
    def seconds(self) -> float:
        """Of a unit of its work; 0 if unknown."""
        return self.estimate.seconds if self.estimate else 0.0

    @property
    def fits(self) -> bool | None:
        """None where it is not known."""
        if self.problems:
            return False
        return self.capacity.fits(self.estimate) if self.estimate else None


@dataclass
class StepEstimator:
    """Looks at steps on one model.

    Args:
        devices: what there is to compute on, by device backend.
        asked: device backend to compute on.
        estimators: the plugins'.
        product: the model.
        data: statistics of the rows, as `EstimateRequest.data`.
    """

    registry: Registry
    devices: Mapping[str, Sequence[Device]]
    product: Product
    data: Mapping[str, Any] = field(default_factory=dict)
    asked: str = AUTO
    estimators: Estimators = field(default_factory=Estimators)

    def of(self, record: ProviderRecord, settings: Mapping[str, Any], slots: Mapping[str, ProviderSpec]) -> StepEstimate:
        """A step of the verb `record` with those settings and, by slot, those providers (its main one among them)."""
        notes = Notes()
        spec = PipelineSpec(record.name, "", {}, Path.cwd(), device=self.asked)
        lookup = ProviderLookup(spec, self.registry, notes)
        selector = Selector(lookup, converters(self.registry), self.devices)
        values = lookup.settings(record, settings, ("settings",))
        candidates = {slot: self._candidates(wanted, lookup, selector) for slot, wanted in slots.items()}
        if values is None or not all(candidates.values()):
            return StepEstimate({}, problems=tuple(notes.problems))
        verb, main = Choice(record, values), record.inputs[0].name
        selection = selector.select(verb, candidates, {main: self.product}, selector.usual)
        if selection.objection:
            notes.problem(
                "TS-PLAN-003", selection.objection,
                fix="Name another provider, or another device: `tunesmith plugin info NAME` says what each can do.",
            )  # fmt: skip
        here = self.devices.get(selection.device.name, ()) if selection.device else ()
        place = placement(selection, here)
        read = self._read(selector, selection, main, place)
        auto = {slot for slot, wanted in slots.items() if wanted.name == AUTO}
        options = Alternatives(selector, self.estimators, verb, candidates, {main: self.product}, read, self.data, here)
        selection, found, told, tried = options.chosen(record.name, selection, auto)
        notes.take(told)
        found = found if found and found.memory else None  # of a model of unknown sizes there may be no more than its settings
        place = placement(selection, here)
        silent = {slot.name for slot in record.slots if not slot.told}
        return StepEstimate(
            {slot: choice for slot, choice in selection.choices.items() if slot not in silent},
            selection.device.name if selection.device else "", Capacity.of(here, place.processes), found,
            tuple(notes.decisions), tuple(notes.warnings), tuple(notes.problems), tried, place.processes, len(here),
        )  # fmt: skip

    def _read(self, selector: Selector, selection: Selection, main: str, place: Placement) -> Product:
        """The model as the step will read it: after the conversions that a plan would insert."""
        product = self.product
        for conversion in selection.chains[main].conversions if main in selection.chains else ():
            made = estimate(
                conversion.label,
                selector.standard(conversion.verb),
                selector.convert(conversion, product).choices,
                product,
                {},
                place,
                Notes(),
                self.estimators,
            )
            producers = (selector.standard(conversion.maker), *product.producers)
            product = replace(product, format=conversion.format, size=int(made.disk) if made else 0, producers=producers)
        return product

    def _candidates(self, wanted: ProviderSpec, lookup: ProviderLookup, selector: Selector) -> Candidates:
        if wanted.name == PRODUCER and not wanted.settings:
            return PRODUCER
        if wanted.name == AUTO and not wanted.settings:
            return selector.candidates(wanted.kind)
        choice = lookup.named(wanted)
        return (choice,) if choice else ()
