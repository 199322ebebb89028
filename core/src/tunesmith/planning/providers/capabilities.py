"""Needs against capabilities, from manifests alone: who requires what, who lacks it, what to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunesmith.contracts.artifacts import fits
from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.contracts.provider import Grade, Need
from tunesmith.errors import listed
from tunesmith.planning.pipeline.step_syntax import an, words
from tunesmith.planning.plan import Choice
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

PRODUCER = "producer"
DEVICE = "device_backend"
HAS_IT: tuple[Grade, ...] = ("full", "partial")


@dataclass(frozen=True)
class Participants:
    """Everyone who takes part in a step.

    Args:
        verb: the step's verb and its own settings.
        choices: provider per slot.
        device: record of the device backend; None if none was found.
        devices: what it found on this machine.
        producers: who made the main input, the last one first, back to where the model came from.
        format: of the main input; empty where there is none.
    """

    verb: Choice
    choices: Mapping[str, Choice]
    device: ProviderRecord | None = None
    devices: Sequence[Device] = ()
    producers: tuple[ProviderRecord, ...] = ()
    format: str = ""

    def of(self, role: str) -> tuple[ProviderRecord, ...]:
        """Who stands in a role: a slot, a kind, the device, the producers; empty if nobody does."""
        if role == PRODUCER:
            return self.producers
        if role == DEVICE:
            return (self.device,) if self.device else ()
        if role in self.choices:
            return (self.choices[role].record,)
        return tuple(choice.record for choice in self.choices.values() if choice.record.kind == role)[:1]


@dataclass(frozen=True)
class UnmetNeed:
    """A need that is not met in full: `grade` says how badly, the sentences what to tell the user."""

    grade: Grade
    what: str
    why: str
    fix: str


def negotiate(participants: Participants, registry: Registry) -> list[UnmetNeed]:
    """Every need in the step that is not met in full."""
    found = []
    for choice in (*participants.choices.values(), participants.verb):
        for need in choice.record.needs:
            if all(choice.settings.get(name) == value for name, value in need.when.items()) and (
                not need.formats or fits(participants.format, need.formats)
            ):
                grade, holder = grade_of(participants, need)
                if grade != "full":
                    found.append(_unmet(choice.record, need, grade, holder, registry))
        found += _off_device(choice.record, participants.device, registry)
    return found


def grade_of(participants: Participants, need: Need) -> tuple[Grade, ProviderRecord | None]:
    """How well a need is met, and by whom. Of the producers, the last one that says anything counts: a converter that is silent
    passes on what it was given."""
    holders = participants.of(need.of)
    for holder in holders:
        grade = holder.capabilities.get(need.capability)
        if grade is None and holder is participants.device:
            grade = _found_on(participants.devices, need.capability)
        if grade is not None and grade != "unknown":
            return grade, holder
    if holders:
        return "unknown", holders[0]
    return ("unknown" if need.of == PRODUCER else "none"), None


def _unmet(by: ProviderRecord, need: Need, grade: Grade, holder: ProviderRecord | None, registry: Registry) -> UnmetNeed:
    who = f"the {words(by.kind)} `{by.name}` requires `{need.capability}`"
    if holder is None:
        what = f"{who} of {an(words(need.of))}, and there is none in this step"
    else:
        lacks = {"none": "does not have it", "partial": "has it only in part", "unknown": "does not say whether it has it"}[grade]
        what = f"{who}, and the {words(holder.kind)} `{holder.name}` {lacks}"
    kind = holder.kind if holder else need.of
    records = registry.providers(kind).values() if kind != PRODUCER else ()
    having = [r for r in records if r.capabilities.get(need.capability) in HAS_IT and r is not holder]
    having.sort(key=lambda r: (r.capabilities[need.capability] != "full", -r.priority, r.name))
    if having:
        fix = f"Use {listed(r.name for r in having)} as the {words(kind)}."
    else:
        fix = f"No other {words(kind)} installed has it: install one, or use something else than `{by.name}`."
    limit = holder.limits.get(need.capability, "") if holder else ""
    return UnmetNeed(grade, what, f"because {need.why}" + (f"; {limit}" if limit else ""), fix)


def _off_device(record: ProviderRecord, device: ProviderRecord | None, registry: Registry) -> Iterator[UnmetNeed]:
    """A provider that lists devices (``device.<name>``) runs on those."""
    grades = {token.partition(".")[2]: grade for token, grade in record.capabilities.items() if token.startswith("device.")}
    grade = grades.get(device.name, "unknown") if device else "full"
    if device is None or not grades or grade == "full":
        return
    verb = {"none": "does not run", "partial": "runs only in part", "unknown": "does not say that it runs"}[grade]
    others = [name for name, other in grades.items() if other in HAS_IT and name in registry.providers(DEVICE) and name != device.name]
    fix = f"Set `device:` to {listed(others)}." if others else f"Use another {words(record.kind)} on this machine."
    told = ", ".join(f"{name} {grade}" for name, grade in grades.items())
    yield UnmetNeed(grade, f"the {words(record.kind)} `{record.name}` {verb} on `{device.name}`", f"it lists the devices: {told}", fix)


def _found_on(devices: Sequence[Device], capability: str) -> Grade | None:
    """What the machine itself says: ``dtype.<name>`` (computes in it natively), ``devices.many`` (there are two or more)."""
    if not devices:
        return None
    if capability == "devices.many":
        return "full" if len(devices) > 1 else "none"
    if capability.startswith("dtype."):
        return "full" if all(capability.removeprefix("dtype.") in device.dtypes for device in devices) else "none"
    return None
