"""A plan for a program: `tunesmith plan --json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunesmith.planning.cache_keys import twins
from tunesmith.planning.plan_text import without_passwords
from tunesmith.planning.schedule import schedule

if TYPE_CHECKING:
    from tunesmith.planning.plan import Alternative, Plan, PlannedStep


def plan_json(plan: Plan, cached: Mapping[str, bool] | None = None, seconds: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The plan as JSON values. `cached` is null for a step of which it is not known yet, `seconds` for one that has not run."""
    cached, seconds, same = cached or {}, seconds or {}, twins(plan.steps)
    played = schedule(plan, seconds, [name for name, there in cached.items() if there])
    return {
        "name": plan.name,
        "path": str(plan.path) if plan.path else None,
        "steps": [
            _step_json(step, cached.get(step.name)) | {
                "same_as": same.get(step.name), "beside": list(played.beside.get(step.name, ())), "seconds": seconds.get(step.name),
            }
            for step in plan.steps
        ],
        "longest": {"steps": list(played.longest), "seconds": played.seconds, "unknown": list(played.unknown)},
        "gates": [{"group": g.group, "metric": g.metric, "op": g.op, "value": g.value, "relative_to": g.relative_to, "text": g.text}
                  for g in plan.gates],
        "decisions": [{"step": d.step, "what": d.what, "reason": d.reason} for d in plan.decisions],
        "warnings": list(plan.warnings),
        "outputs": list(plan.outputs),
        "listeners": [one.record.identity | {"settings": without_passwords(one.settings)} for one in plan.listeners],
    }  # fmt: skip


def _step_json(step: PlannedStep, cached: bool | None) -> dict[str, Any]:
    estimate = step.estimate
    return {
        "name": step.name,
        "group": step.group,
        "source": step.source,
        "verb": step.verb.identity,
        "providers": {slot: choice.record.identity | {"settings": dict(choice.settings)} for slot, choice in step.choices.items()},
        "settings": dict(step.settings),
        "inputs": {
            name: {"format": s.format} | ({"step": s.step} if s.step else {"file": str(s.file), "digest": s.digest})
            for name, s in step.inputs.items()
        },
        "format": step.format,
        "after": list(step.after),
        "seed": step.seed,
        "device": step.placement.device,
        "processes": step.placement.processes,
        "environment": step.environment,
        "resources": dataclasses.asdict(step.resources),
        "executor": step.executor and step.executor.record.identity | {"settings": dict(step.executor.settings)},
        "isolated": step.recipe and {
            "key": step.lock or None, "plugins": list(step.recipe.plugins), "python": step.recipe.python,
            "requirements": [*step.recipe.requirements, *step.recipe.without_dependencies], "absent": list(step.recipe.absent),
        },
        "inserted": step.inserted,
        "service": step.verb.service,
        "cached": cached,
        "estimate": estimate and {
            "memory": estimate.memory, "disk": estimate.disk, "terms": dict(estimate.terms), "notes": list(estimate.notes),
        },
        "alternatives": [alternative_json(one) for one in step.alternatives],
    }  # fmt: skip


def alternative_json(one: Alternative) -> dict[str, Any]:
    """A way to fill a slot; figures are null where nobody knows."""
    estimate = one.estimate
    return {
        "slot": one.slot, "provider": one.provider, "settings": dict(one.settings), "processes": one.processes, "taken": one.taken,
        "memory": estimate and one.needed, "host": estimate and estimate.host, "sent": estimate and estimate.sent,
        "seconds": one.seconds or None, "verdict": one.verdict,
    }  # fmt: skip
