"""Where a slot is left to the planner and one device does not do, or the verb's fact `compares` asks for it: each candidate is estimated,
and the fastest that fits is taken.

A candidate is a provider with settings that its `variants` offer for the machine, or with its defaults where it has none. Of those that are
about as fast, the first one is taken: those that need no isolated environment come first, then by priority and name, then as they are
offered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.contracts.settings import fill, problems
from tunesmith.errors import UserError
from tunesmith.planning.estimates.device_memory import Capacity
from tunesmith.planning.estimates.estimators import Estimators, NoEstimate
from tunesmith.planning.estimates.memory_and_disk import estimate
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.pipeline.step_syntax import words
from tunesmith.planning.placement.processes import placement
from tunesmith.planning.plan import Alternative, Choice
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.selection import Candidates, Selection, Selector, compares
from tunesmith.plugins.records import ProviderRecord
from tunesmith.units import bytes_text

CLOSE = 1.1  # expected times are not exact: so much slower counts as equally fast


@dataclass(frozen=True)
class Candidate:
    """A candidate to fill a slot, and its step; without `selection` it can't be gone. `doubt` is what it does not say; of `warned` things
    a plan with it warns."""

    told: Alternative
    selection: Selection | None = None
    fits: bool | None = None
    doubt: str = ""
    warned: int = 0


@dataclass(frozen=True)
class Alternatives:
    """Compares, for one step.

    Args:
        slots: who may fill each slot; `inputs`: as in `Selector.select`.
        main: the step's main input as it reads it; `data`: statistics of its rows.
        devices: of the backend that the step computes on.
        others: its other inputs, by name.
    """

    selector: Selector
    estimators: Estimators
    verb: Choice
    slots: Mapping[str, Candidates]
    inputs: Mapping[str, Product]
    main: Product | None
    data: Mapping[str, Any]
    devices: Sequence[Device]
    others: Mapping[str, Product] = field(default_factory=dict)

    def chosen(
        self, name: str, selection: Selection, auto: Collection[str], where: str = ""
    ) -> tuple[Selection, Estimate | None, Notes, tuple[Alternative, ...]]:  # fmt: skip
        """The selection with the best candidates for the slots in `auto`, what it needs, what is to be told of that, and what was compared.

        Where nothing is left to the planner, or one device is there and it fits, it is estimated as it is, and nothing else is asked.
        """
        slots = [slot for slot in selection.choices if slot in auto and any(record.variants for record in self._records(slot, selection))]
        many, always, notes, tried = len(self.devices) > 1, len(self.devices) > 1 or compares(self.verb), Notes(), ()
        found = None if slots and always else self._estimate(name, selection, self.data, notes, where)
        if slots and (always or (found and Capacity.of(self.devices, placement(selection, self.devices).processes).fits(found) is False)):
            notes = Notes()
            for slot in slots:
                selection, more = self.best(slot, selection)
                tried = (*tried, *more)
            found = self._estimate(name, selection, self.data, notes, where)
            if many and not tried:
                notes.warn(f"{name}: how {len(self.devices)} devices are best used is not known: name a {words(slots[0])}")
        for one in tried:
            notes.decide(name, *one.decision)
        return selection, found, notes, tried

    def _records(self, slot: str, selection: Selection) -> Collection[ProviderRecord]:
        return self.selector.registry.providers(selection.choices[slot].record.kind).values()

    def _estimate(self, name: str, selection: Selection, data: Mapping[str, Any], notes: Notes, where: str = "") -> Estimate | None:
        place = placement(selection, self.devices)
        return estimate(
            name, self.verb, selection.choices, self.main, data, place, notes, self.estimators, where, self.devices, self.others
        )

    def best(self, slot: str, selection: Selection) -> tuple[Selection, tuple[Alternative, ...]]:
        """The selection with the best candidate for a slot, and all that were looked at; the selection as it is where there is only one,
        or nothing is known of any."""
        isolates = self.selector.lookup.environments.isolates
        order = sorted(self._records(slot, selection), key=lambda one: (-self._said(one)["order"], isolates(one), -one.priority, one.name))
        found = [candidate for record in order for candidate in self._candidates(slot, record, selection)]
        # what can't be is told once, whatever its settings
        once = {(one.told.provider, one.told.verdict): one for one in reversed(found)}
        candidates = [one for one in found if one.selection or once[one.told.provider, one.told.verdict] is one]
        known = [one for one in candidates if one.selection and one.told.estimate]
        if not known or (len(candidates) < 2 and not known[0].told.settings):
            return selection, ()
        fitting = [one for one in known if one.fits]
        least = min((one.selection.cost for one in fitting if one.selection), default=(0, 0, 0))
        if not fitting and len(self.devices) == 1:  # what is simplest is told, and what it would need
            known = [one for one in known if one.told.provider == selection.choices[slot].record.name] or known
        best = [one for one in fitting if one.selection and one.selection.cost == least]
        taken, times = _first(best, known), [one.told.seconds for one in best]
        assert taken.selection is not None
        return taken.selection, tuple(_judged(one, taken, times, least) for one in candidates)

    def _said(self, record: ProviderRecord) -> Mapping[str, Any]:
        """What a provider says of itself for a value that a compared setting has: `order` (the highest comes first) and `rule`."""
        asked = {name: str(self.verb.settings[name]) for name in self.verb.record.facts.get("compares", ())}
        return next(filter(None, (record.facts.get(name, {}).get(value) for name, value in asked.items())), {"order": 0})

    def _candidates(self, slot: str, record: ProviderRecord, selection: Selection) -> Iterator[Candidate]:
        name = Alternative(slot, record.name, words=record.name)
        if reason := self.selector.lookup.environments.refusal(record):
            yield Candidate(replace(name, verdict=reason))
            return
        unread = (entry.name for entry in self.verb.record.inputs if entry.name in self.inputs and not entry.is_read(record.facts))
        if slot == self.verb.record.main_kind and (entry := next(unread, "")):
            yield Candidate(replace(name, verdict=f"it has no use for `{entry}`"))
            return
        offered: Sequence[Mapping[str, Any]] = ({},)
        if record.variants:
            try:
                offered = self.estimators.variants(record, self._request(fill(record.schema, {}), selection))
            except (NoEstimate, UserError) as error:
                yield Candidate(replace(name, verdict=f"what it offers is not known: {error}"))
                return
        ranks = record.facts.get("ranks")
        usual = offered[0] if offered and len(offered) > 1 and all({**one, **offered[0]} == one for one in offered) else {}
        for settings in offered:
            own = (f"{key}={value}" for key, value in settings.items() if key != ranks and key not in usual)
            told = replace(name, settings=settings, words=" ".join((record.name, *own)))
            if wrong := next((f"`{path}` {sentence}" for path, sentence in problems(record.schema, settings)), ""):
                yield Candidate(replace(told, verdict=f"its settings can't be: {wrong}"))
            else:
                yield self._tried(told, Choice(record, fill(record.schema, settings)), selection)

    def _request(self, settings: Mapping[str, Any], selection: Selection) -> EstimateRequest:
        place, model = placement(selection, self.devices), self.main or Product("", "", "")
        return EstimateRequest(
            model.config, model.size, settings, self.verb.settings, device=place.device, dtypes=place.dtypes, format=model.format,
            model_bytes=model.model_bytes, devices=tuple(self.devices),
            data={key: value for key, value in self.data.items() if key != "first"},
        )  # fmt: skip

    def _tried(self, told: Alternative, choice: Choice, selection: Selection) -> Candidate:
        tried = self.selector.tried(self.verb, {**selection.choices, told.slot: choice}, self.slots, self.inputs, selection.device)
        notes, told = Notes(), replace(told, processes=placement(tried, self.devices).processes)
        if tried.cost[0]:
            return Candidate(replace(told, verdict=tried.objection))
        if tried.conversions != selection.conversions:  # estimates are of the input as the step reads it
            how = f"by other conversions ({' and '.join(tried.conversions) or 'as it is'})"
            return Candidate(replace(told, verdict=f"it would read its input {how}: name it to have that"))
        rows = {name: value for name, value in self.data.items() if name != "first"}  # they change no figure, and take their time
        found, capacity = self._estimate(told.slot, tried, rows, notes), Capacity.of(self.devices, told.processes)
        if notes.problems:
            return Candidate(replace(told, verdict=notes.problems[0].what))
        if found is None or not found.memory:
            return Candidate(replace(told, verdict="what it needs is not known"))
        told = replace(told, estimate=found, needed=capacity.needed(found))
        if told.needed > capacity.memory > 0:
            wrong = f"it does not fit into the {bytes_text(capacity.memory)} of {capacity.name}"
            return Candidate(replace(told, verdict=wrong), tried, False)
        if capacity.crowds(found):
            there = f"and there are {bytes_text(capacity.host)}" if capacity.host else "and what that has is not known"
            wrong = f"it needs {bytes_text(capacity.of_host(found))} of the host's memory for each device, {there}"
            return Candidate(replace(told, verdict=wrong), tried, None)
        doubt = next((finding.what for finding in tried.findings if finding.grade == "unknown"), "")
        return Candidate(replace(told, verdict=self._said(choice.record).get("rule", "")), tried, True, doubt, len(found.warnings))


def _first(fitting: Sequence[Candidate], known: Sequence[Candidate]) -> Candidate:
    """The fastest; where one of more processes has no known time, the one of most of which the plan warns least; where none fits, the one
    that needs least."""
    if not fitting:
        return min((one for one in known if one.fits is False), key=lambda one: one.told.needed, default=known[0])
    timed, most = [one for one in fitting if one.told.seconds], max(fitting, key=lambda one: (-one.warned, one.told.processes))
    if most.told.processes > max((one.told.processes for one in timed), default=0):
        return most
    return next(one for one in timed if one.told.seconds <= CLOSE * min(other.told.seconds for other in timed))


def _judged(candidate: Candidate, taken: Candidate, times: Sequence[float], least: tuple[int, int, int]) -> Alternative:
    one, seconds = candidate.told, taken.told.seconds
    if candidate is taken:
        quickest = min(filter(None, times), default=0.0)
        verdict = "the fastest that fits" if all(times) else "the fastest that fits of those whose time is known"
        verdict = f"within {CLOSE - 1:.0%} of {verdict}, and simpler" if seconds > quickest else verdict
        if not seconds:
            verdict = "it fits, with the most processes; not all times are known" if quickest else "it fits, and nothing is known of speed"
        return replace(one, taken=True, verdict=one.verdict or verdict)
    if one.verdict or candidate.selection is None:
        return one
    doubt = f", but {candidate.doubt}" if candidate.selection.cost > least else ""
    if not one.seconds or not seconds:
        fewer = "with fewer processes" if one.processes < taken.told.processes else "and is less simple"
        fewer = f"but {one.estimate.warnings[-1]}" if one.estimate and candidate.warned > taken.warned else fewer
        return replace(one, verdict=f"it fits, {'and its time is not known' if seconds else fewer}{doubt}")
    if doubt:
        return replace(one, verdict=f"it fits, {seconds / one.seconds:.1f} times as fast{doubt}")
    slow = (slower := one.seconds / seconds) > CLOSE
    return replace(one, verdict=f"it fits, {slower:.1f} times as slow" if slow else "it fits, about as fast, and is less simple")
