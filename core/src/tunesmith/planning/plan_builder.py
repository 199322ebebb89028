"""Builds planned steps, one step of the user's after another, in an order in which their inputs are known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.errors import TunesmithError, did_you_mean, listed
from tunesmith.planning.estimates.alternatives import Alternatives
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith.planning.estimates.memory_and_disk import check_memory
from tunesmith.planning.inputs.input_readers import InputReaders
from tunesmith.planning.inputs.model_source import LOADER, ModelOrigin
from tunesmith.planning.inputs.step_inputs import StepInputs
from tunesmith.planning.inputs.step_outputs import Product, product_of, unused
from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith.planning.pipeline.step_syntax import AUTO, EXECUTOR, LOCAL, Path, ProviderSpec, StepSpec
from tunesmith.planning.placement.machine import Machine
from tunesmith.planning.placement.processes import placement
from tunesmith.planning.placement.resources import resources_of
from tunesmith.planning.plan import Choice, PlannedStep, Source
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.format_conversion import Conversion, ConversionChain, converters, makes
from tunesmith.planning.providers.lookup import ProviderLookup
from tunesmith.planning.providers.own_artifacts import continues, going_on, why_not
from tunesmith.planning.providers.reasons import Reasons
from tunesmith.planning.providers.selection import PRODUCER, Candidates, Selection, Selector
from tunesmith.plugins.records import ProviderRecord


class PlanBuilder:
    """Keeps what is planned so far.

    Args:
        estimators: the plugins'.
        strict: an unknown capability is an error.
        machine: what steps share.
    """

    def __init__(
        self, spec: PipelineSpec, lookup: ProviderLookup, notes: Notes, model: ModelOrigin, readers: InputReaders,
        devices: Mapping[str, Sequence[Device]], estimators: Estimators, *, strict: bool, machine: Machine,
    ) -> None:  # fmt: skip
        self.spec, self.lookup, self.notes, self.model, self.readers, self.devices = spec, lookup, notes, model, readers, devices
        self.estimators, self.machine = estimators, machine
        self.selector = Selector(lookup, converters(lookup.registry), devices)
        self.reasons = Reasons(spec, lookup, self.selector, notes, strict=strict)
        self.environments = lookup.environments
        self.chosen: dict[Path, Choice | None] = {}
        self.verbs: dict[str, Choice | None] = {}
        self.backends: dict[str, list[ProviderRecord | None]] = {}
        self.products: dict[str, list[Product] | None] = {}  # by group; None where planning it failed
        self.converted: dict[tuple[str, str], Product] = {}
        self.steps: list[PlannedStep] = []

    @property
    def planned(self) -> list[PlannedStep]:
        """All steps, those that everything comes from first."""
        first = (self.model.step,) if self.model.step else ()
        where = self.spec.where("model")
        return [*(self.placed(step, AUTO, where) for step in (*first, *self.readers.steps)), *self.steps]

    def look_up(self, steps: Iterable[StepSpec]) -> None:
        """Find every provider that is named and check all settings, so that each mistake is told in one go."""
        for step in steps:
            values = self.lookup.settings(step.verb, step.settings, step.settings_path)
            values = self.model.fetched(step, str(values["uri"])) if values and step.verb.main_kind == LOADER else values
            self.verbs[step.name] = None if values is None else Choice(step.verb, values)
            self.backends[step.name] = self.devices_for(step)
            if step.executor and step.executor.path not in self.chosen:
                self.chosen[step.executor.path] = self.lookup.named(step.executor)
            for wanted in (*step.main, *step.slots.values()):
                if wanted.name == AUTO and not wanted.settings:
                    if not self.selector.candidates(wanted.kind):
                        self.lookup.none_usable(wanted)
                elif wanted.name != PRODUCER or wanted in step.main:  # only a slot can take what made the input
                    self.chosen[wanted.path] = self.lookup.named(wanted)

    def devices_for(self, step: StepSpec) -> list[ProviderRecord | None]:
        """Device backends that a step may use, the best first; empty, with a problem noted, if the one it names is not here."""
        if not step.verb.computes:
            return [None]
        if step.device == AUTO:
            if not self.selector.present:
                self.notes.warn("no device backend found anything on this machine: steps run on the processor, and memory is not checked")
            return [*self.selector.present] or [None]
        where = self.spec.where("steps", step.name, "device") if step.device != self.spec.device else self.spec.where("device")
        record = self.selector.backends.get(step.device)
        here = [other.name for other in self.selector.present]
        if record is None:
            self.notes.problem(
                "TS-PLAN-007", f"{where}: there is no device backend `{step.device}`", fix=did_you_mean(step.device, [*here, AUTO])
            )
        elif record not in self.selector.present:
            fix = f"Write {listed([*here, AUTO])}; `tunesmith doctor` says what was looked for."
            self.notes.problem("TS-PLAN-007", f"{where}: no `{step.device}` device was found on this machine", fix=fix)
        return [record] if record in self.selector.present else []

    def build(self, step: StepSpec) -> None:
        """Plan a step: once for each of its sources and main providers."""
        sources = step.sources or ("",)
        mains: tuple[ProviderSpec | None, ...] = step.main if step.verb.main_kind else (None,)
        several = len(sources) * len(mains) > 1
        made: list[Product] = []
        for source in sources:
            for main in mains:
                parts = (step.name, source, main.name if main else "")
                name = self.free(":".join(filter(None, parts))) if several else step.name
                product = self.one(step, name, source, main)
                made += [product] if product else []
        self.products[step.name] = made if made and len(made) == len(sources) * len(mains) else None

    def one(self, step: StepSpec, name: str, source: str, main: ProviderSpec | None) -> Product | None:
        """Plan one worker's work; None if something stands in its way."""
        inputs = StepInputs(self, step, source)
        wanted = ({step.verb.main_kind: main} if main else {}) | dict(step.slots)
        slots = {slot: self.candidates(want) for slot, want in wanted.items()}
        if isinstance(mains := slots.get(step.verb.main_kind), Sequence) and not isinstance(mains, str):
            slots[step.verb.main_kind] = inputs.readers(mains)
        certain = {slot: found[0].record for slot, found in slots.items() if len(found) == 1 and not isinstance(found, str)}
        inputs.read_files(certain)  # also where something else is wrong already, so that all is told at once
        verb, backends = self.verbs.get(step.name), self.backends.get(step.name)
        if verb is None or not backends or not all(slots.values()):
            return None
        selection = self.selector.select(verb, slots, inputs.products, backends)
        if not self.reasons.objections(step, name, selection, inputs.products, whole=not inputs.failed) or inputs.failed:
            return None
        auto = {slot for slot, want in wanted.items() if want.name == AUTO}
        inputs.read_files({slot: choice.record for slot, choice in selection.choices.items()})
        if main:
            inputs.require(selection.choices[step.verb.main_kind].record)
        if inputs.failed:
            return None
        first = step.verb.inputs[0] if step.verb.inputs else None
        own = selection.choices.get(first.of) if first else None
        read = {
            key: self.convert(
                selection.chains[key], product, step, name, self.reasons.limit(step, key, selection, product.format),
                why_not(own, product) if first and key == first.name else "",
            )
            for key, product in inputs.products.items()
        }  # fmt: skip
        if first and own and first.name in read and continues(own, read[first.name]):
            self.notes.decide(name, *going_on(own, read[first.name]))
        read = {entry.name: found for entry in step.verb.inputs if (found := read.get(entry.name) or inputs.prepared.get(entry.name))}
        sources = {key: Source(product.format, product.step) for key, product in read.items()} | inputs.files
        planned = PlannedStep(
            name=name, group=step.name, verb=verb.record, choices=selection.choices, settings=verb.settings, inputs=sources,
            format=str(verb.settings["format"]) if verb.record.main_kind == LOADER else "", seed=step.seed, source=source,
            after=tuple(one.name for need in step.needs for one in self.steps if one.group == need),
        )  # fmt: skip
        made = self.add(planned, verb, selection, read, step, (auto, slots, inputs.products))
        compared = {one.slot for one in self.steps[-1].alternatives}
        self.reasons.explain(name, verb, slots, auto - compared, selection, inputs.products, backends)
        return replace(made, facts=inputs.facts)

    def candidates(self, wanted: ProviderSpec) -> Candidates:
        """Who may fill a slot; nobody where the provider that was named can't be had."""
        if wanted.name == PRODUCER and not wanted.settings and wanted.path not in self.chosen:
            return PRODUCER
        if wanted.name == AUTO and not wanted.settings:
            return self.selector.candidates(wanted.kind)
        choice = self.chosen.get(wanted.path)
        return (choice,) if choice else ()

    def convert(
        self, chain: ConversionChain, product: Product, step: StepSpec, reader: str, limit: str = "", declined: str = ""
    ) -> Product:  # fmt: skip
        """The product after the conversions of a chain, each inserted once however many read it.

        Args:
            limit: why the reader does not take the product as it is, where it says so.
            declined: why it does not go on with it, where it could.
        """
        for conversion in chain.conversions:
            key = (product.step, conversion.label)
            if key not in self.converted:
                self.converted[key] = self.insert(conversion, product, step)
                reason = f"`{reader}` reads {chain.conversions[-1].format}, and `{product.step}` makes {product.format}"
                reason += self.reasons.loss(conversion) + (declined if conversion is chain.conversions[0] else "")
                reason += f". Not as it is, because {limit}" if limit and conversion is chain.conversions[0] else ""
                self.notes.decide(self.converted[key].step, f"inserted: {conversion.label}", reason)
            else:
                self.notes.extend(self.converted[key].step, f"inserted: {conversion.label}", f"`{reader}`")
            product = self.converted[key]
        return product

    def insert(self, conversion: Conversion, product: Product, step: StepSpec) -> Product:
        selection = self.selector.convert(conversion, product)
        verb = self.selector.standard(conversion.verb)
        name = self.free(f"{product.step}.{conversion.verb.name}")
        self.reasons.objections(step, name, selection, {})
        planned = PlannedStep(
            name=name, group=name, verb=conversion.verb, choices=selection.choices, settings=verb.settings, format=conversion.format,
            inserted=True, inputs={conversion.verb.inputs[0].name: Source(product.format, product.step)}, source=product.group,
        )  # fmt: skip
        made = self.add(planned, verb, selection, {conversion.verb.inputs[0].name: product}, step)
        return replace(made, group=product.group)

    def add(
        self, planned: PlannedStep, verb: Choice, selection: Selection, read: Mapping[str, Product], step: StepSpec,
        left: tuple[Collection[str], Mapping[str, Candidates], Mapping[str, Product]] = ((), {}, {}),
    ) -> Product:  # fmt: skip
        """Estimate, place and keep a step.

        Args:
            left: slots that are left to the planner; who may fill each; the inputs.
        """
        first = read.get(planned.verb.inputs[0].name) if planned.verb.inputs else None
        facts: Mapping[str, Any] = next((product.facts for product in read.values() if product.facts), {})
        where = self.spec.where("steps", step.name)
        here = self.devices.get(selection.device.name, ()) if selection.device else ()
        auto, slots, inputs = left
        others = {key: product for key, product in read.items() if product is not first}
        options = Alternatives(self.selector, self.estimators, verb, slots, inputs, first, facts, here, others)
        selection, foreseen, told, tried = options.chosen(planned.name, selection, auto, where)
        self.notes.take(told)
        records = {slot: choice.record for slot, choice in selection.choices.items()}
        planned = replace(planned, choices=selection.choices, placement=placement(selection, here), estimate=foreseen, alternatives=tried)
        planned = replace(planned, format=planned.format or makes(planned.verb, records, next((one.format for one in read.values()), "")))
        planned = replace(planned, settings={**planned.settings, **(foreseen.settings if foreseen else {})})
        planned = replace(planned, executor=self.elsewhere(planned, step))
        planned = replace(planned, resources=resources_of(planned, self.machine, {} if planned.inserted else step.resources))
        placed = self.placed(planned, AUTO if planned.inserted else step.env, where)
        self.steps.append(placed)
        check_memory(placed, here, where, self.notes, ignore=self.spec.ignore_estimates)
        made = product_of(placed, verb, first)
        return self.model.described(made, placed) if planned.verb.main_kind == LOADER and not planned.inserted else made

    def elsewhere(self, planned: PlannedStep, step: StepSpec) -> Choice | None:
        """What has a step run elsewhere. One that computes nothing, or that others ask, stays here whatever the pipeline says."""
        if step.executor is None or (planned.inserted and not planned.verb.computes):
            return None
        if planned.verb.computes and not planned.verb.service:
            return self.chosen[step.executor.path]
        if step.executor.path[0] == "steps":
            what = f"{self.spec.where(*step.executor.path)}: `{planned.verb.name}` runs on this machine only"
            self.notes.problem("TS-PLAN-020", what, fix=f"Leave out `{EXECUTOR}`, or write `{EXECUTOR}: {LOCAL}`.")
        return None

    def placed(self, step: PlannedStep, asked: str, where: str) -> PlannedStep:
        """The step with its environment, the reason noted; a problem is noted where the one it asks for can't be."""
        try:
            step = self.environments.placed(step, asked)
            if told := self.environments.explain(step, asked):
                self.notes.decide(step.name, f"environment: {told[0]}", told[1])
        except TunesmithError as error:
            self.notes.adopt(error, where)
        return step

    def free(self, name: str) -> str:
        """A name that no step has yet."""
        return unused(name, [*self.spec.steps, *(step.name for step in self.steps)])
