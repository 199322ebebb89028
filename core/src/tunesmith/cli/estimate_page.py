"""An estimate for a person, with a bar for each part, and for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.cli.tables import columns
from tunesmith.contracts.estimates import Estimate
from tunesmith.planning.estimates import bytes_text
from tunesmith.planning.foresight import Foreseen

BAR = 40
Tried = Sequence[tuple[str, Foreseen]]


def page(title: str, found: Mapping[str, Foreseen], tried: Tried) -> str:
    """The breakdown of one step, or a line for each of several."""
    if len(found) > 1:
        return "\n".join([title, "", *_compared(found), "", _device(next(iter(found.values()))), *_told(next(iter(found.values())))])
    (seen,) = found.values()
    return "\n".join([f"{title}{_with(seen)}", "", *_broken_down(seen), *_told(seen), *_less(seen, tried)]).rstrip()


def _with(seen: Foreseen) -> str:
    names = [choice.record.name for choice in seen.choices.values()]
    return f", with {', '.join(names)}" if names else ""


def _broken_down(seen: Foreseen) -> list[str]:
    for problem in seen.problems:
        return [f"  It can't be done like this: {problem.what}"] + ([f"  {problem.fix}"] if problem.fix else [])
    if seen.estimate is None:
        return ["  Nobody knows what this needs: none of its plugins has an estimator for it."]
    terms = sorted(seen.estimate.terms.items(), key=lambda term: -term[1])
    total = seen.estimate.memory
    rows = [(name, bytes_text(value), f"{value / total:4.0%}", _bar(value, total)) for name, value in terms if value]
    rows.append(("memory", bytes_text(total), "", ""))
    if seen.estimate.disk:
        rows.append(("disk", bytes_text(seen.estimate.disk), "", ""))
    return [columns(rows, "  "), "", f"  {_device(seen)}" + (f": {_verdict(seen)}" if seen.memory else "")]


def _bar(value: float, total: float) -> str:
    return "█" * max(1, round(BAR * value / total))


def _device(seen: Foreseen) -> str:
    if not seen.memory:
        return "What this machine has is not known."
    return f"This machine has {bytes_text(seen.memory)} ({seen.device}), {bytes_text(seen.free)} of it free now"


def _verdict(seen: Foreseen) -> str:
    assert seen.estimate is not None
    if seen.estimate.memory > seen.memory:
        return "it does not fit"
    return "it fits" if seen.estimate.memory <= seen.free else "it fits once others have ended"


def _told(seen: Foreseen) -> list[str]:
    lines = [f"  - {decision.what}: {decision.reason}" for decision in seen.decisions]
    return ["", *lines, *(f"  ! {warning}" for warning in seen.warnings)] if lines or seen.warnings else []


def _less(seen: Foreseen, tried: Tried) -> list[str]:
    if not tried:
        return []
    rows = [(words, bytes_text(less.estimate.memory), _mark(less)) for words, less in tried if less.estimate]
    return ["", "It would need less with", columns(rows, "  ")]


def _mark(seen: Foreseen) -> str:
    return {True: "fits", False: "does not fit", None: ""}[seen.fits]


def _compared(found: Mapping[str, Foreseen]) -> list[str]:
    largest = max((seen.estimate.memory for seen in found.values() if seen.estimate), default=1.0)
    rows, cannot = [], []
    for name, seen in sorted(found.items(), key=lambda item: item[1].estimate.memory if item[1].estimate else 0.0):
        if seen.problems:
            cannot.append(f"  {name}: {seen.problems[0].what}")
        elif seen.estimate:
            rows.append((name, bytes_text(seen.estimate.memory), _largest(seen.estimate), _mark(seen), _bar(seen.estimate.memory, largest)))
        else:
            cannot.append(f"  {name}: nobody knows")
    table = [columns([("", "memory", "the most of it", "", ""), *rows], "  ")] if rows else []
    return [*table, *(["", "Not these:", *cannot] if cannot else [])]


def _largest(estimate: Estimate) -> str:
    first = sorted(estimate.terms.items(), key=lambda term: -term[1])[:2]
    return ", ".join(f"{name} {bytes_text(value)}" for name, value in first if value)


def as_json(title: str, found: Mapping[str, Foreseen], tried: Tried) -> dict[str, Any]:
    """The same as JSON values; a comparison has an entry a provider."""
    return {
        "what": title,
        "estimates": [{"of": name} | _json(seen) for name, seen in found.items()],
        "less": [{"with": words} | _json(seen) for words, seen in tried],
    }


def _json(seen: Foreseen) -> dict[str, Any]:
    estimate = seen.estimate
    return {
        "memory": estimate and estimate.memory,
        "terms": dict(estimate.terms) if estimate else {},
        "disk": estimate and estimate.disk,
        "device": {"name": seen.device, "memory": seen.memory, "free": seen.free},
        "fits": seen.fits,
        "providers": {slot: choice.record.name for slot, choice in seen.choices.items()},
        "decisions": [{"what": decision.what, "reason": decision.reason} for decision in seen.decisions],
        "problems": [{"code": problem.code, "what": problem.what, "fix": problem.fix} for problem in seen.problems],
    }
