"""Who fills a slot of a plan's step and why, for `tunesmith plan --why strategy`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.planning.pipeline.spec import PipelineSpec, dotted
from tunesmith.planning.pipeline.step_syntax import AUTO
from tunesmith.planning.plan import Plan, PlannedStep
from tunesmith.planning.plan_text import compared_text
from tunesmith_cli.display.plan_json import alternative_json

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry


@dataclass(frozen=True)
class SlotChoice:
    """
    Args:
        origin: where it was named; empty where the planner chose.
        reasons: of the plan: who was taken and who was not, each with why.
        alternatives: what was compared, with its figures, as in the plan's JSON.
        table: the same for a person.
    """

    step: str
    slot: str
    provider: str
    origin: str
    reasons: tuple[str, ...]
    alternatives: tuple[dict[str, Any], ...]
    table: tuple[str, ...]


def choices(key: str, plan: Plan, spec: PipelineSpec, registry: Registry, flags: Collection[str] = ()) -> list[SlotChoice]:
    """The choices that ``key`` asks for: a slot (``strategy``, ``tune.strategy``), its kind, or one who could fill it (``ddp``); none where
    it means something else.

    Args:
        flags: paths that ``--set`` changed.
    """
    *where, name = key.split(".")
    return [
        _choice(step, slot, plan, spec, flags)
        for step in plan.steps
        for slot, choice in step.told.items()
        if name in {slot, choice.record.kind, *registry.providers(choice.record.kind)}
        and {*where} <= {step.name, step.group, slot, choice.record.kind, "steps"}
    ]


def _choice(step: PlannedStep, slot: str, plan: Plan, spec: PipelineSpec, flags: Collection[str]) -> SlotChoice:
    tried = [one for one in step.alternatives if one.slot == slot]
    decided = [one for one in plan.decisions if one.step == step.name and one.what.startswith(f"{slot}: ")]
    reasons = tuple(f"{one.what.removeprefix(f'{slot}: ')}: {one.reason}" for one in decided)
    origin = _origin(step, step.verb.name if slot == step.verb.main_kind else slot, spec, flags)
    return SlotChoice(
        step.name, slot, step.choices[slot].record.name, origin, reasons, tuple(map(alternative_json, tried)), tuple(compared_text(tried))
    )


def _origin(step: PlannedStep, key: str, spec: PipelineSpec, flags: Collection[str]) -> str:
    written = spec.steps.get(step.group)
    if not isinstance(written, Mapping) or written.get(key) in (None, AUTO):
        return ""
    path = ("steps", step.group, key)
    flag = next((flag for flag in flags if f"{flag}.".startswith(f"{dotted(path)}.")), "")
    return f"--set {flag}" if flag else spec.where(*path)


def choices_text(found: list[SlotChoice]) -> str:
    return "\n".join(line for one in found for line in _lines(one)) + "\n"


def _lines(one: SlotChoice) -> Iterator[str]:
    yield f"{one.step}: the {one.slot} is `{one.provider}`, " + (f"as {one.origin} says" if one.origin else "which the planner chose")
    yield from (f"    {line}" for line in one.table)
    told = [reason for reason in one.reasons if not (one.table and reason.startswith("not "))]
    yield from (f"    {reason}" for reason in told)


def choices_json(found: list[SlotChoice]) -> list[dict[str, Any]]:
    return [{name: value for name, value in asdict(one).items() if name != "table"} for one in found]
