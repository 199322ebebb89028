"""An estimate for a person, with a bar for each part, and for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts.estimates import Estimate
from tunesmith.planning.estimates.alternatives import CLOSE
from tunesmith.planning.plan_text import WIDTH, compared_text, wrapped
from tunesmith.units import bytes_text
from tunesmith_cli.display.plan_json import alternative_json
from tunesmith_cli.estimate.comparison import Tried, options
from tunesmith_cli.estimate.step import StepEstimate
from tunesmith_cli.estimate.target_devices import Place
from tunesmith_cli.text_tables import columns

BAR = 40


def page(title: str, found: Sequence[Tried], less: Sequence[Tried], place: Place) -> str:
    """The breakdown of what was asked for, or a line for each of several."""
    seen = found[0].seen
    if len(found) > 1:
        told = [f"  - {place.note}"] if place.note else []
        return "\n".join([title, "", *_compared(found), "", f"  {_device(seen, place)}", *told])
    return "\n".join([f"{title}{_with(seen)}", "", *_broken_down(seen, place), *_told(seen, place), *_less(less, seen)]).rstrip()


def _with(seen: StepEstimate) -> str:
    names = [choice.record.name for choice in seen.choices.values()]
    many = f", in {seen.processes} processes" if seen.processes > 1 else ""
    if seen.processes > 1 and seen.devices > seen.processes:
        many += f" on {seen.processes} of {seen.devices} devices"
    return (f", with {', '.join(names)}" if names else "") + many


def _broken_down(seen: StepEstimate, place: Place) -> list[str]:
    for problem in seen.problems:
        return [f"  It can't be done like this: {problem.what} ({problem.code})"] + ([f"  {problem.fix}"] if problem.fix else [])
    if seen.estimate is None:
        return ["  Nobody knows what this needs: none of its plugins has an estimator for it."]
    terms = sorted(seen.estimate.terms.items(), key=lambda term: -term[1])
    total = seen.estimate.memory
    rows = [(name, bytes_text(value), f"{value / total:4.0%}", _bar(value, total)) for name, value in terms if value]
    rows.append(("memory", bytes_text(total), "", ""))
    if seen.capacity.sharing > 1:
        rows.append((f"of {seen.capacity.sharing} processes", bytes_text(seen.needed), "", ""))
    if seen.estimate.host:
        rows.append(("of the host", bytes_text(seen.host), "", ""))
    if seen.estimate.disk:
        rows.append(("disk", bytes_text(seen.estimate.disk), "", ""))
    return [columns(rows, "  "), "", f"  {_device(seen, place)}" + (f": {_verdict(seen)}" if seen.capacity.memory else "")]


def _bar(value: float, total: float) -> str:
    return "█" * max(1, round(BAR * value / total))


def _device(seen: StepEstimate, place: Place) -> str:
    capacity = seen.capacity
    if not capacity.memory:
        return "What the device has is not known" + ("." if place.here else ": name it by --on CARD, or give --memory 24GiB.")
    if not place.here:
        name = capacity.name or "the device"
        if place.told:
            return f"With {bytes_text(capacity.memory)} on {name}, as --memory says"
        return f"{name[:1].upper()}{name[1:]} has {bytes_text(capacity.memory)}"
    return f"This machine has {bytes_text(capacity.memory)} ({seen.device}), {bytes_text(capacity.free)} of it free now"


def _verdict(seen: StepEstimate) -> str:
    if not seen.fits:
        short = seen.needed <= seen.capacity.memory
        there = f"has {bytes_text(seen.capacity.host)} for each device" if seen.capacity.host else "is not known"
        return f"it does not fit: the host's memory {there}" if short and not seen.problems else "it does not fit"
    return "it fits" if seen.needed <= seen.capacity.free else "it fits once others have ended"


def _told(seen: StepEstimate, place: Place) -> list[str]:
    compared = {one.decision for one in seen.alternatives if not one.taken}
    lines = [f"  {line}" for line in compared_text(seen.alternatives, WIDTH - 2)] + [""] * bool(compared)
    said = [f"- {said.what}: {said.reason}" for said in seen.decisions if (said.what, said.reason) not in compared]
    said += [f"- {place.note}"] if place.note else []
    lines += [
        line for words in (*said, *(f"! {warning}" for warning in seen.warnings)) for line in wrapped(words, "  ", WIDTH, hanging="  ")
    ]
    return ["", *lines] if lines else []


def _less(tried: Sequence[Tried], asked: StepEstimate) -> list[str]:
    rows = [(one.words, bytes_text(_each(one.seen)), ", ".join(filter(None, (_mark(one), _slower(one, asked))))) for one in tried]
    each = " (each process)" if asked.processes > 1 else ""
    return ["", f"It would need less with{each}", columns(rows, "  ")] if rows else []


def _each(seen: StepEstimate) -> float:
    """Bytes of one process, as the breakdown above has them."""
    return seen.estimate.memory if seen.estimate else 0.0


def _slower(tried: Tried, asked: StepEstimate) -> str:
    """By how much it takes longer than what was asked for, or less, where both are known."""
    seen = tried.least[1] if tried.least and not tried.seen.fits else tried.seen
    times = seen.seconds / asked.seconds if asked.seconds else 0.0
    return f"{times:.1f} times as slow" if times > CLOSE else f"{1 / times:.1f} times as fast" if 0 < times < 1 / CLOSE else ""


def _mark(tried: Tried) -> str:
    """Whether it fits, and with what; and what speaks against it."""
    seen, verdict = tried.seen, {True: "fits", False: "does not fit", None: ""}[tried.seen.fits]
    chosen = seen.estimate.settings if seen.estimate else {}
    if seen.fits and any(chosen.values()):
        return ", ".join(filter(None, (f"fits with {_taken(chosen)}", tried.remark)))
    if not seen.fits and (tried.least or (chosen and not seen.problems)):
        settings, less = tried.least or (chosen, seen)
        word = {True: "fits with", False: "does not fit, not even with", None: "less with"}[less.fits]
        crowds = less.estimate and less.capacity.crowds(less.estimate)
        beside = f" and {bytes_text(less.host)} of the host's for each device" if crowds else ""
        verdict = f"{word} {_taken(settings)}: {bytes_text(less.needed)}{beside}"
    return ", ".join(filter(None, (verdict, tried.remark)))


def _taken(settings: Mapping[str, Any]) -> str:
    """What is done, as it is typed; not what is left."""
    return options({name: value for name, value in settings.items() if value is not False})


def _compared(found: Sequence[Tried]) -> list[str]:
    rows, cannot = [], []
    for tried in sorted(found, key=lambda tried: tried.seen.needed):
        if tried.seen.problems:
            cannot.append(f"  {tried.provider}: {tried.seen.problems[0].what} ({tried.seen.problems[0].code})")
        elif tried.seen.estimate:
            largest = _largest(tried.seen.estimate)
            rows.append((tried.provider, options(tried.settings), bytes_text(tried.seen.needed), largest, _mark(tried)))
        else:
            cannot.append(f"  {tried.provider}: nobody knows")
    table = [columns([("", "", "memory", "the most of it", ""), *rows], "  ")] if rows else []
    return [*table, *(["", "Not these:", *cannot] if cannot else [])]


def _largest(estimate: Estimate) -> str:
    first = sorted(estimate.terms.items(), key=lambda term: -term[1])[:2]
    return ", ".join(f"{name} {bytes_text(value)}" for name, value in first if value)


def as_json(title: str, found: Sequence[Tried], less: Sequence[Tried], place: Place) -> dict[str, Any]:
    """The same as JSON values; a comparison has an entry for each provider in each type of numbers."""
    return {"what": title, "note": place.note, "estimates": [_tried(one) for one in found], "less": [_tried(one) for one in less]}


def _tried(tried: Tried) -> dict[str, Any]:
    least = tried.least and {"settings": dict(tried.least[0])} | _json(tried.least[1])
    what = {"of": tried.provider, "with": tried.words, "settings": dict(tried.settings), "remark": tried.remark}
    return what | _json(tried.seen) | {"least": least}


def _json(seen: StepEstimate) -> dict[str, Any]:
    estimate, at = seen.estimate, seen.capacity
    return {
        "memory": estimate and estimate.memory,
        "needed": estimate and seen.needed,
        "host": estimate and seen.host,
        "seconds": estimate and seen.seconds,
        "chosen": dict(estimate.settings) if estimate else {},
        "terms": dict(estimate.terms) if estimate else {},
        "disk": estimate and estimate.disk,
        "device": {"backend": seen.device, "name": at.name, "memory": at.memory, "free": at.free, "sharing": at.sharing, "host": at.host},
        "fits": seen.fits,
        "processes": seen.processes,
        "providers": {slot: choice.record.name for slot, choice in seen.choices.items()},
        "decisions": [{"what": decision.what, "reason": decision.reason} for decision in seen.decisions],
        "alternatives": [alternative_json(one) for one in seen.alternatives],
        "problems": [{"code": problem.code, "what": problem.what, "fix": problem.fix} for problem in seen.problems],
    }
