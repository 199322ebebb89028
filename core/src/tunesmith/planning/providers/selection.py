"""Who takes part in a step: the providers that the user named, and the best ones where the choice is left to the planner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import TYPE_CHECKING

from tunesmith.contracts.artifacts import fits, with_role
from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.pipeline.step_syntax import AUTO
from tunesmith.planning.plan import Choice
from tunesmith.planning.providers.capabilities import Participants, UnmetNeed, negotiate
from tunesmith.planning.providers.format_conversion import Conversion, ConversionChain, chain_of, takes
from tunesmith.planning.providers.own_artifacts import continues
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.planning.providers.lookup import ProviderLookup

PRODUCER = "producer"  #: default of a slot that takes the provider that made the main input
MOST_TRIED = 1000

Candidates = Sequence[Choice] | str  #: of a slot: one if it is named, several if the planner chooses, or ``producer``


@dataclass(frozen=True)
class Selection:
    """Everyone in a step, how its inputs reach it, and what speaks against it.

    Args:
        chains: by input name, where the input is another step's artifact.
        unfilled: why a slot has nobody in it.
    """

    choices: Mapping[str, Choice]
    device: ProviderRecord | None
    chains: Mapping[str, ConversionChain]
    findings: tuple[UnmetNeed, ...] = ()
    unfilled: tuple[str, ...] = ()
    compared: bool = False

    @property
    def cost(self) -> tuple[int, int, int]:
        """Faults that forbid it; conversions that are inserted before it, where providers are compared; doubts."""
        faults = sum(finding.grade == "none" for finding in self.findings) + len(self.unfilled)
        faults += sum(not r.found or bool(r.proposed) for r in self.chains.values())
        doubts = sum(finding.grade == "unknown" for finding in self.findings)
        return faults, len(self.conversions) if self.compared else 0, doubts

    @property
    def conversions(self) -> list[str]:
        """What is inserted before it."""
        return [conversion.label for chain in self.chains.values() for conversion in chain.conversions]

    @property
    def objection(self) -> str:
        """The first thing that speaks against it; empty if nothing does for certain."""
        for finding in self.findings:
            if finding.grade == "none":
                return finding.what
        for reason in self.unfilled:
            return reason
        for name, found in self.chains.items():
            if not found.found or found.proposed:
                return f"its input `{name}` would not fit"
        return ""


def compares(verb: Choice) -> bool:
    """Whether providers are to be compared: a setting that the verb's fact `compares` names is another than its default."""
    properties = verb.record.schema.get("properties", {})
    return any(verb.settings[name] != properties[name].get("default") for name in verb.record.facts.get("compares", ()))


class Selector:
    """Chooses providers and devices."""

    def __init__(self, lookup: ProviderLookup, conversions: Sequence[Conversion], devices: Mapping[str, Sequence[Device]]) -> None:
        self.lookup, self.registry, self.conversions, self.devices = lookup, lookup.registry, conversions, devices
        self._candidates: dict[str, list[Choice]] = {}
        self.backends = self.registry.providers("device_backend")
        self.present = [record for name, record in self.backends.items() if devices.get(name)]
        wanted = lookup.spec.device
        #: backends for steps that name no device
        self.usual: list[ProviderRecord | None] = [record for record in self.present if wanted in (AUTO, record.name)] or [None]

    def candidates(self, kind: str) -> list[Choice]:
        """What the planner may choose from: those that need no settings and can run here, highest priority first.

        Those that need an isolated environment come last: gigabytes are not installed for want of a word.
        """
        if kind not in self._candidates:
            found = [choice for record in self.registry.providers(kind).values() if (choice := self.lookup.standard(record))]
            isolates = self.lookup.environments.isolates
            self._candidates[kind] = sorted(found, key=lambda c: (isolates(c.record), -c.record.priority, c.record.name))
        return self._candidates[kind]

    def select(
        self, verb: Choice, slots: Mapping[str, Candidates], inputs: Mapping[str, Product], devices: Sequence[ProviderRecord | None]
    ) -> Selection:
        """The best selection: of those with the fewest faults and doubts, the one whose providers come first. Where providers are to be
        compared, those that read the inputs by the fewest conversions go before others.

        Args:
            inputs: those that are other steps' artifacts of a known format.
            devices: backends to choose from, the best first.
        """
        named = {slot: found for slot, found in slots.items() if found and not isinstance(found, str)}
        best: Selection | None = None
        for device, picked in islice(product(devices, product(*named.values())), MOST_TRIED):
            selection = self.tried(verb, dict(zip(named, picked, strict=True)), slots, inputs, device)
            if best is None or selection.cost < best.cost:
                best = selection
            if best.cost == (0, 0, 0):
                break
        assert best is not None  # there is always a device to try, if only None
        return best

    def tried(
        self, verb: Choice, choices: Mapping[str, Choice], slots: Mapping[str, Candidates], inputs: Mapping[str, Product],
        device: ProviderRecord | None,
    ) -> Selection:  # fmt: skip
        """One way to fill the slots, judged."""
        chains = {
            entry.name: self.chain(inputs[entry.name], _taking(verb.record, choices, index, inputs[entry.name]))
            for index, entry in enumerate(verb.record.inputs)
            if entry.name in inputs
        }
        main = verb.record.inputs[0].name if verb.record.inputs else ""
        made_by = self.after(inputs[main], chains[main].conversions) if main in chains else ()
        last = chains[main].conversions[-1:] if main in chains else ()
        format = last[0].format if last else inputs[main].format if main in inputs else ""
        filled = dict(choices)
        unfilled = [f"nothing that can be chosen for `{slot}` is installed" for slot, found in slots.items() if not found]
        for slot in verb.record.slots:
            if slots.get(slot.name) == PRODUCER:
                found = self.producer(slot.kind, made_by, inputs.get(main))
                if found is None:
                    unfilled.append(f"the {slot.kind} that made its input is not known, and none that is installed writes its format")
                else:
                    filled[slot.name] = found
        here = self.devices.get(device.name, ()) if device else ()
        participants = Participants(verb, filled, device, here, tuple(choice.record for choice in made_by), format)
        return Selection(filled, device, chains, tuple(negotiate(participants, self.registry)), tuple(unfilled), compares(verb))

    def producer(self, kind: str, made_by: Sequence[Choice], main: Product | None) -> Choice | None:
        """The provider of a kind that made the main input; where it came from elsewhere, the first that makes such artifacts."""
        for choice in made_by:
            if choice.record.kind == kind:
                return choice
        format = main.format if main else ""
        return next((c for c in self.candidates(kind) if format and fits(with_role(format, ""), c.record.produces)), None)

    def chain(self, source: Product, accepted: Callable[[str], bool]) -> ConversionChain:
        isolates = self.lookup.environments.isolates
        return chain_of(
            self.conversions, source.format, accepted, lambda conversion, before: self.refusal(conversion, before, source),
            lambda conversion: isolates(conversion.maker),
        )  # fmt: skip

    def refusal(self, conversion: Conversion, before: tuple[Conversion, ...], source: Product) -> str:
        """Why a conversion can't be used here; empty if it can."""
        if conversion.provider and self.lookup.standard(conversion.provider) is None:
            return f"`{conversion.provider.name}` {self.lookup.why_not(conversion.provider)}"
        if self.lookup.standard(conversion.verb) is None:
            return f"`{conversion.verb.name}` {self.lookup.why_not(conversion.verb)}"
        format = before[-1].format if before else source.format
        return self.convert(conversion, Product("", "", format, producers=self.after(source, before))).objection

    def convert(self, conversion: Conversion, source: Product) -> Selection:
        """The selection of a conversion with nothing but defaults, whose input fits."""
        slots: dict[str, Candidates] = {}
        if conversion.provider:
            slots[conversion.verb.main_kind] = (self.standard(conversion.provider),)
        for slot in conversion.verb.slots:
            named = [c for c in self.candidates(slot.kind) if c.record.name == slot.default]
            slots[slot.name] = PRODUCER if slot.default == PRODUCER else named or self.candidates(slot.kind)
        return self.select(self.standard(conversion.verb), slots, {conversion.verb.inputs[0].name: source}, self.usual)

    def after(self, source: Product, conversions: Iterable[Conversion]) -> tuple[Choice, ...]:
        """Who made a product once it has gone through conversions, the last one first."""
        made_by = source.producers
        for conversion in conversions:
            made_by = (self.standard(conversion.maker), *made_by)
        return made_by

    def standard(self, record: ProviderRecord) -> Choice:
        """A provider with its defaults."""
        return self.lookup.standard(record) or Choice(record)


def _taking(verb: ProviderRecord, choices: Mapping[str, Choice], index: int, product: Product) -> Callable[[str], bool]:
    records = {slot: choice.record for slot, choice in choices.items()}
    as_it_is = index == 0 and continues(choices.get(verb.inputs[0].of), product)
    return lambda format: takes(verb, records, format, index) or (as_it_is and format == product.format)
