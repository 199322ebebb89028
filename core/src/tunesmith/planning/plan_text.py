"""A plan for a person."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.planning.cache_keys import twins
from tunesmith.planning.schedule import Schedule, schedule
from tunesmith.units import bytes_text, time_text

if TYPE_CHECKING:
    from tunesmith.planning.plan import Alternative, Decision, Plan, PlannedStep

WIDTH = 110
SHOWN = 4  # names of a list of steps


def plan_text(
    plan: Plan, cached: Mapping[str, bool] | None = None, *, seconds: Mapping[str, float] | None = None, width: int = WIDTH
) -> str:  # fmt: skip
    """The plan as plain text: a line for each step, what was decided below it, totals, warnings.

    Args:
        cached: step -> whether its artifact is in the store already; steps that are not in it are not known yet.
        seconds: step -> how long it took the last time, of those that have run.
    """
    cached = cached or {}
    return "\n".join(_lines(plan, cached, seconds or {}, width)).rstrip() + "\n"


def _lines(plan: Plan, cached: Mapping[str, bool], seconds: Mapping[str, float], width: int) -> Iterator[str]:
    same, played = twins(plan.steps), schedule(plan, seconds, [name for name, there in cached.items() if there])
    done = sum(cached.get(step.name, False) for step in plan.steps)
    usual = _usual_device(plan)
    count = f"{len(plan.steps)} step{'s' * (len(plan.steps) != 1)}" + (f" on {usual}" if usual else "")
    count += f", {len(same)} of them the same as another" if same else ""
    yield f"{plan.name}: {count}" + (f", {done} of them done already" if done else "")
    decisions: dict[str, list[Decision]] = {}
    for decision in plan.decisions:
        decisions.setdefault(decision.step, []).append(decision)
    for decision in decisions.get("", ()):
        yield from wrapped(f"- {decision.what}: {decision.reason}", "  ", width, hanging="  ")
    yield ""
    names = max((len(step.name) for step in plan.steps), default=0)
    doing = max((len(_does(step)) for step in plan.steps), default=0)
    indent = " " * 8
    for number, step in enumerate(plan.steps, 1):
        mark = "=" if cached.get(step.name) else "+" if step.inserted else " "
        yield f"{number:>3} {mark} {step.name:<{names}}  {_does(step):<{doing}}  {_flow(step)}".rstrip()
        if step.name in same:
            yield from wrapped(f"the same as {same[step.name]}: run once", indent, width)
        elif facts := _facts(step, plan, usual, played):
            yield from wrapped(facts, indent, width)
        compared = {one.decision for one in step.alternatives if not one.taken}
        yield from (f"{indent}{line}" for line in compared_text(step.alternatives, width - len(indent)))
        for decision in decisions.get(step.name, ()):
            if (decision.what, decision.reason) not in compared:
                yield from wrapped(f"- {decision.what}: {decision.reason}", indent, width, hanging="  ")
    yield ""
    marks = ("+ added by the planner",) if any(step.inserted for step in plan.steps) else ()
    if marks or done:
        yield "    " + "   ".join((*marks, *(("= done already, not run again",) if done else ())))
    yield from _totals(plan, cached)
    yield from _longest(played)
    for gate in plan.gates:
        yield f"    gate: {gate.metric} of `{gate.group}` {gate.text}"
    if plan.warnings:
        yield from ("", "Warnings:")
        for warning in plan.warnings:
            yield from wrapped(f"! {warning}", "  ", width, hanging="  ")


def _usual_device(plan: Plan) -> str:
    """The device of most steps that compute."""
    devices = [step.placement.device for step in plan.steps if step.verb.computes]
    return max(dict.fromkeys(devices), key=devices.count, default="")


def _does(step: PlannedStep) -> str:
    main = step.choices.get(step.verb.main_kind)
    others = [choice.record.name for slot, choice in step.told.items() if slot != step.verb.main_kind]
    return " ".join(filter(None, (step.verb.name, main.record.name if main else "", f"({', '.join(others)})" if others else "")))


def _flow(step: PlannedStep) -> str:
    sources = [source.step or (source.file.name if source.file else "") for source in step.inputs.values()]
    return f"{', '.join(sources)} -> {step.format}" if sources else f"-> {step.format}"


def _facts(step: PlannedStep, plan: Plan, usual: str, played: Schedule) -> str:
    facts = []
    if step.verb.computes and step.placement.device != usual:
        facts.append(f"on {step.placement.device}")
    if step.executor:
        facts.append(f"by {step.executor.record.name}")
    if step.placement.processes > 1:
        facts.append(f"{step.placement.processes} processes")
    if step.estimate and step.estimate.memory:
        facts.append(f"memory about {bytes_text(step.estimate.memory)}" + (" each" if step.placement.processes > 1 else ""))
    if step.estimate and step.estimate.disk:
        facts.append(f"disk about {bytes_text(step.estimate.disk)}")
    if step.after:
        groups = {other.name: other.group for other in plan.steps}
        facts.append("after " + ", ".join(dict.fromkeys(groups.get(name, name) for name in step.after)))
    if others := played.beside.get(step.name):
        facts.append("beside " + _some(others))
    return ", ".join(facts)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def compared_text(tried: Sequence[Alternative], width: int = WIDTH) -> list[str]:
    """Ways to fill a slot that were compared, the one that was taken marked: their figures, then what they are and the verdict."""
    if not tried:
        return []
    rows = [("", "processes", "memory", "sent a step", "s a step")]
    for one in tried:
        needed, sent = bytes_text(one.needed) if one.needed else "?", bytes_text(one.estimate.sent) if one.estimate else "?"
        rows.append((">" * one.taken, str(one.processes), needed, sent, f"{one.seconds:.3g}" if one.seconds else "?"))
    sizes = [max(1, *(len(cell) for cell in column)) for column in zip(*rows, strict=True)]
    told = [tried[0].slot, *(f"{one.words}: {one.verdict}" for one in tried)]
    lines = []
    for row, words in zip(rows, told, strict=True):
        figures = " ".join(f"{cell:<{size}} " for cell, size in zip(row, sizes, strict=True)) + " "
        lines += wrapped(words, figures, width, hanging="  ", under=" " * len(figures))
    return lines


def _totals(plan: Plan, cached: Mapping[str, bool]) -> Iterator[str]:
    same = twins(plan.steps)
    ahead = [step for step in plan.steps if step.name not in same and not cached.get(step.name)]
    if not ahead:
        yield "    Nothing to do."
        return
    known = [step for step in ahead if step.estimate]
    memory = max(known, key=lambda s: s.estimate.memory if s.estimate else 0.0, default=None)
    if memory is not None and memory.estimate and memory.estimate.memory:
        each = ", each process" if memory.placement.processes > 1 else ""
        yield f"    peak memory about {bytes_text(memory.estimate.memory)} (in {memory.name}{each})"
    if disk := sum(step.estimate.disk for step in known if step.estimate):
        yield f"    disk about {bytes_text(disk)}"


def _longest(played: Schedule) -> Iterator[str]:
    """The steps that no room for more at a time would make quicker, where that says more than the list of steps."""
    if not played.seconds and not played.beside:
        return
    way = " -> ".join(played.longest if len(played.longest) <= SHOWN else (*played.longest[: SHOWN - 1], "...", played.longest[-1]))
    unknown = f", without {_some(played.unknown)}" if played.unknown else ""
    yield f"    longest way: {way}" + (f" ({time_text(played.seconds)} the last time{unknown})" if played.seconds else "")


def wrapped(text: str, indent: str, width: int, *, hanging: str = "", under: str | None = None) -> list[str]:
    """Lines of at most `width`, the first after `indent`, the others after that (or `under`) and `hanging`."""
    after = (indent if under is None else under) + hanging
    return textwrap.wrap(text, max(width, len(indent) + 30), initial_indent=indent, subsequent_indent=after, break_on_hyphens=False)


def without_passwords(settings: Any) -> Any:
    """Settings as they may be shown: an address that has a password in it says only where it leads."""
    if isinstance(settings, Mapping):
        return {name: without_passwords(value) for name, value in settings.items()}
    return re.sub(r"//[^/@\s]*@", "//", settings) if isinstance(settings, str) else settings
