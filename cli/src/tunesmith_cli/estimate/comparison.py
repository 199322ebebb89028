"""What else would do: the providers that could make the result, in each type of numbers and with settings that need less, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.planning.pipeline.step_syntax import ProviderSpec
from tunesmith_cli.estimate.step import StepEstimate, StepEstimator
from tunesmith_cli.options.parser import dashed
from tunesmith_cli.verb.arguments import VerbForm


@dataclass(frozen=True)
class Tried:
    """A step that was looked at.

    Args:
        provider: in `slot`, which makes the result; empty where that is not what differs.
        settings: of the verb, beside those that were asked for.
        remark: what speaks against it.
        least: settings that need less, and what it comes to with them; None where there is none that does.
    """

    provider: str
    settings: Mapping[str, Any]
    seen: StepEstimate
    remark: str = ""
    least: tuple[Mapping[str, Any], StepEstimate] | None = None
    slot: str = ""

    @property
    def words(self) -> str:
        """What differs, as it is typed."""
        return " ".join(filter(None, (f"--{dashed(self.slot)} {self.provider}" if self.provider else "", options(self.settings))))


@dataclass(frozen=True)
class Comparison:
    """Looks at one verb on one model.

    Args:
        given: settings of the verb that were asked for.
        slots: the provider of each slot.
    """

    foresight: StepEstimator
    form: VerbForm
    given: Mapping[str, Any]
    slots: Mapping[str, ProviderSpec]

    @property
    def slot(self) -> str:
        """The one whose provider makes the result; empty if there is none to choose."""
        slot = self.form.verb.produces_of
        return slot if slot in self.slots and slot != self.form.verb.main_kind else ""

    @property
    def chosen(self) -> bool:
        """Whether the user has named who makes the result."""
        return not self.slot or self.slots[self.slot].name != "auto" or bool(self.slots[self.slot].settings)

    def asked(self) -> Tried:
        """Just what was asked for."""
        return Tried("", {}, self.foresight.of(self.form.verb, self.given, self.slots))

    def all(self) -> Iterator[Tried]:
        """Each provider in each type of numbers, and what it comes to with settings that need less."""
        kind = self.slots[self.slot].kind
        for name in self.form.registry.providers(kind):
            slots = {**self.slots, self.slot: ProviderSpec(kind, name, {}, (self.slot,))}
            yield from self.variants(name, self.foresight.of(self.form.verb, self.given, slots), slots)

    def variants(self, name: str, seen: StepEstimate, slots: Mapping[str, ProviderSpec]) -> Iterator[Tried]:
        alternatives = seen.estimate.alternatives if seen.estimate and not seen.problems else ()
        for settings, remark in alternatives or (({}, ""),):
            other = self.foresight.of(self.form.verb, {**self.given, **settings}, slots) if settings else seen
            yield Tried(name, settings, other, remark, self.least(settings, other, slots), self.slot)

    def least(
        self, settings: Mapping[str, Any], seen: StepEstimate, slots: Mapping[str, ProviderSpec]
    ) -> tuple[Mapping[str, Any], StepEstimate] | None:
        """The first of the savings with which it fits, or else all of them."""
        found, more, slots = None, {}, _as_chosen(seen, slots)
        for saving in seen.estimate.savings if seen.estimate and not seen.problems else ():
            more = {**more, **saving}
            less = self.foresight.of(self.form.verb, {**self.given, **settings, **_left(seen), **more}, slots)
            if not less.problems and less.needed < seen.needed:
                found = (more, less)
                if less.fits:
                    break
        return found

    def less(self, seen: StepEstimate) -> list[Tried]:
        """With what a step that was asked for would need less: its own settings, one on top of the other, then others in its place."""
        if seen.estimate is None or seen.problems:
            return []
        found, settings, slots = [], {}, _as_chosen(seen, self.slots)
        for saving in seen.estimate.savings:
            settings = {**settings, **saving}
            found.append(Tried("", settings, self.foresight.of(self.form.verb, {**self.given, **_left(seen), **settings}, slots)))
        here = seen.choices[self.slot].record.name if self.slot in seen.choices else ""
        for tried in self.all() if here else ():
            if tried.provider != here and not tried.seen.problems and tried.seen.needed < 0.9 * seen.needed:
                found.append(tried)
        return [tried for tried in found if tried.seen.estimate and tried.seen.estimate.memory < seen.estimate.memory]


def _as_chosen(seen: StepEstimate, slots: Mapping[str, ProviderSpec]) -> dict[str, ProviderSpec]:
    """The slots with what was chosen by comparing, which is kept while a setting changes: a saving is one in the same way of computing."""
    chosen = {one.slot: seen.choices[one.slot] for one in seen.alternatives}
    return {
        slot: ProviderSpec(wanted.kind, chosen[slot].record.name, chosen[slot].settings, (slot,)) if slot in chosen else wanted
        for slot, wanted in slots.items()
    }


def _left(seen: StepEstimate) -> Mapping[str, Any]:
    """What was chosen of the settings that were left to the estimate: a saving comes on top of it."""
    return seen.estimate.settings if seen.estimate else {}


def options(settings: Mapping[str, Any]) -> str:
    """Settings as they are typed."""
    return " ".join(option(name, value) for name, value in settings.items())


def option(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"--{dashed(name)}" if value else f"--no-{dashed(name)}"
    return f"--{dashed(name)} {value}"
