"""The planner's sentences about a selection: why a provider was chosen, and what stands in the way of a step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tunesmith.contracts.artifacts import fits, role_of, with_role
from tunesmith.contracts.provider import Input
from tunesmith.errors import listed
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith.planning.pipeline.step_syntax import FROM, StepSpec, words
from tunesmith.planning.placement.processes import STRATEGY
from tunesmith.planning.plan import Choice
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.format_conversion import Conversion, ConversionChain, formats_of, reader_of
from tunesmith.planning.providers.lookup import ProviderLookup
from tunesmith.planning.providers.selection import Candidates, Selection, Selector
from tunesmith.plugins.records import ProviderRecord


class Reasons:
    def __init__(self, spec: PipelineSpec, lookup: ProviderLookup, selector: Selector, notes: Notes, *, strict: bool) -> None:
        self.spec, self.registry, self.selector, self.notes, self.strict = spec, lookup.registry, selector, notes, strict

    def objections(self, step: StepSpec, name: str, selection: Selection, inputs: Mapping[str, Product], *, whole: bool = True) -> bool:
        """Note everything that speaks against a selection; True if the step can be planned all the same.

        Args:
            whole: whether all inputs are known; if not, only what is certain without them is told.
        """
        before = len(self.notes.problems)
        where = self.spec.where("steps", step.name)
        for finding in selection.findings:
            if finding.grade != "none" and not whole:
                continue
            if finding.grade == "none" or (finding.grade == "unknown" and self.strict):
                code = "TS-PLAN-003" if finding.grade == "none" else "TS-PLAN-004"
                self.notes.problem(code, f"{where}: in `{name}` {finding.what}", why=finding.why, fix=finding.fix)
            else:
                self.notes.warn(f"{name}: {finding.what} ({finding.why})")
        for reason in selection.unfilled if whole else ():
            self.notes.problem(
                "TS-PLAN-005", f"{where}: in `{name}` {reason}", fix="Name one in the step, or install a plugin that brings one."
            )
        for key, chain in selection.chains.items():
            if not chain.found:
                self.unreachable(step, key, chain, selection, inputs[key])
            elif chain.proposed:
                self.proposal(step, key, chain, selection, inputs[key])
        return len(self.notes.problems) == before

    def unreachable(self, step: StepSpec, key: str, chain: ConversionChain, selection: Selection, product: Product) -> None:
        """No chain of conversions leads from what is there to what is read."""
        reader, accepts = self.reader(step, key, selection)
        why = "; ".join(f"{label} would help, but {reason}" for label, reason in chain.rejected)
        if limit := self.limit(step, key, selection, product.format):
            why = f"Because {limit}."
        entry, choice = self.entry(step, key, selection)
        records = self.registry.providers(choice.record.kind).values() if choice else ()
        others = [r.name for r in records if choice and r is not choice.record and self.fits(product, formats_of(r, entry))]
        fix = f"Use {listed(others)} as the {words(choice.record.kind)}." if others and choice else ""
        code, reads, made = "TS-PLAN-001", listed(accepts), product.format
        if roles := self.other_roles(product, accepts):
            code, reads, made = "TS-PLAN-015", " or ".join(map(_model, roles)), f"{_model(role_of(made))} ({made})"
            why, fix = "No conversion changes what a model gives.", f"Read a step that makes {reads}. {fix}".rstrip()
        fix = fix or self.remedy(chain, product) or f"Read something else, or install a plugin that converts {product.format}."
        why = why or "No chain of installed converters leads from one to the other."
        self.notes.problem(code, f"{self.place(step, key)}: {reader} reads {reads}, but `{product.group}` makes {made}", why=why, fix=fix)

    def other_roles(self, product: Product, accepts: Sequence[str]) -> list[str]:
        """The roles with which it would be taken; none where it is not its role that speaks against it."""
        roles = {role_of(pattern) for pattern in accepts} - {role_of(product.format), "*"}
        return sorted(role for role in roles if self.fits(replace(product, format=with_role(product.format, role)), accepts))

    def limit(self, step: StepSpec, key: str, selection: Selection, format: str) -> str:
        """Why the provider that reads an input can't take this format, as a clause: its limit of ``base.<format>``, if it states one."""
        choice = self.entry(step, key, selection)[1]
        return choice.record.limits.get("base." + format.partition("/")[2], "") if choice else ""

    def remedy(self, chain: ConversionChain, product: Product) -> str:
        """What would make the first conversion possible that was rejected for want of a capability; empty if that is not known."""
        labels = {label for label, _ in chain.rejected}
        for conversion in self.selector.conversions:
            if conversion.label in labels and conversion.takes(product.format):
                for finding in self.selector.convert(conversion, product).findings:
                    if finding.grade == "none":
                        return f"In `{product.group}`: {finding.fix}"
        return ""

    def proposal(self, step: StepSpec, key: str, chain: ConversionChain, selection: Selection, product: Product) -> None:
        """A chain exists, but it loses something: the user has to ask for it."""
        reader, accepts = self.reader(step, key, selection)
        lines, source = [], product.group
        for conversion in chain.proposed:
            new = f"{source}-{conversion.verb.name}"
            value = conversion.provider.name if conversion.provider else "{}"
            lines.append(f"  {new}: {{{conversion.verb.name}: {value}, from: {source}}}")
            source = new
        field = FROM if key == step.verb.inputs[0].name else key
        added = "\n".join(lines)
        self.notes.problem(
            "TS-PLAN-002", f"{self.place(step, key)}: {reader} reads {listed(accepts)}, but `{product.group}` makes {product.format}",
            why=f"{listed(one.label for one in chain.proposed)} would make it fit; it loses something, so it is not done unasked.",
            fix=f"Add under `steps:`\n{added}\nand in `{step.name}` write `{field}: {source}`.",
        )  # fmt: skip

    def reader(self, step: StepSpec, key: str, selection: Selection) -> tuple[str, tuple[str, ...]]:
        """Who reads an input, and what formats."""
        entry, choice = self.entry(step, key, selection)
        if choice is None:
            return f"`{step.name}` ({step.verb.name})", entry.accepts
        return f"the {words(choice.record.kind)} `{choice.record.name}`", formats_of(choice.record, entry) or entry.accepts

    def entry(self, step: StepSpec, key: str, selection: Selection) -> tuple[Input, Choice | None]:
        """An input, and the provider that reads it; None for the verb itself."""
        entry = next(entry for entry in step.verb.inputs if entry.name == key)
        return entry, selection.choices.get(reader_of(step.verb, entry))

    def fits(self, product: Product, accepts: Sequence[str]) -> bool:
        found = self.selector.chain(product, lambda format: fits(format, accepts))
        return found.found and not found.proposed

    def place(self, step: StepSpec, key: str) -> str:
        return self.spec.where("steps", step.name, FROM if key == step.verb.inputs[0].name else key)

    def explain(
        self, name: str, verb: Choice, slots: Mapping[str, Candidates], auto: Collection[str], selection: Selection,
        inputs: Mapping[str, Product], backends: Sequence[ProviderRecord | None],
    ) -> None:  # fmt: skip
        """Give the reason of every choice that was the planner's: the slots in `auto`, those that take the producer, the device."""
        silent = {slot.name for slot in verb.record.slots if not slot.told}
        for slot, found in slots.items():
            if slot in silent:
                continue
            if isinstance(found, str) and slot in selection.choices:
                self.notes.decide(name, f"{slot}: {selection.choices[slot].record.name}", "it made what this step reads")
            elif slot in auto and not isinstance(found, str):
                chosen = selection.choices[slot]
                passed = [
                    (other.record.name, self.selector.tried(verb, {**selection.choices, slot: other}, slots, inputs, selection.device))
                    for other in found[: list(found).index(chosen)]
                ]
                alone = chosen.record.kind == STRATEGY and len(self.selector.devices.get(getattr(selection.device, "name", ""), ())) == 1
                because = "one device is here: others are compared where it does not fit on it" if alone and not passed else ""
                self.notes.decide(name, f"{slot}: {chosen.record.name}", because or _because(passed, len(found)))
        device = selection.device
        if device is not None and len(backends) > 1:
            before = backends[: list(backends).index(device)]
            passed = [(b.name, self.selector.tried(verb, selection.choices, slots, inputs, b)) for b in before if b]
            self.notes.decide(name if passed else "", f"device: {device.name}", _because(passed, len(backends)))

    def loss(self, conversion: Conversion) -> str:
        """What a conversion that is inserted loses, as an addition to its reason."""
        grade = conversion.maker.capabilities.get("lossless", "full")
        loss = {"partial": "; it changes the precision", "none": "; it loses something"}.get(grade, "")
        limit = conversion.maker.limits.get("lossless", "")
        return f"{loss}: {limit}" if loss and limit else loss


def _model(role: str) -> str:
    """What a model of a role is, in words."""
    return f"a `{role}` model" if role else "a model that gives text"


def _because(passed: Sequence[tuple[str, Selection]], count: int) -> str:
    if passed:
        return "; ".join(f"not `{other}`: {tried.objection or 'it does not say that it fits'}" for other, tried in passed)
    return f"the highest priority of {count} that can run here" if count > 1 else "the only one that can run here and reads its inputs"
