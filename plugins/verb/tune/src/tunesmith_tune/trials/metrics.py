"""Which metric of a plan is meant by ``score.exact_match``, and which way is better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.errors import UserError, did_you_mean, listed
from tunesmith.planning.pipeline.spec import MODEL
from tunesmith.planning.plan import Plan, PlannedStep
from tunesmith_tune.api import Goal

WAYS = ("higher", "lower")


@dataclass(frozen=True)
class PlannedMetric:
    """A metric of one step of a plan.

    Args:
        step: the planned step's name: ``score:tune:perplexity``.
    """

    goal: Goal
    step: str
    name: str


def find_metric(plan: Plan, written: str) -> PlannedMetric:
    """The metric that is written ``STEP.METRIC``, ``STEP.SOURCE.METRIC`` where the step evaluates several, with ``:higher`` or ``:lower``
    behind it where its plugin does not say which is better.

    Raises:
        UserError: TS-TUNE-003 when there is none, it can't be told which, or which way is better.
    """
    path, _, way = written.partition(":")
    group, *source, name = path.split(".") if path.count(".") in (1, 2) else ("", "")
    if way not in ("", *WAYS):
        raise _error(written, f"`{way}` is no way to be better.", did_you_mean(way, WAYS))
    steps = [step for step in plan.steps if step.group == group and not step.inserted]
    if not steps:
        groups = [one for one in plan.outputs if any(declared(step) for step in plan.steps if step.group == one)]
        raise _error(written, f"There is no step `{group}`." if group else "It is not STEP.METRIC.", did_you_mean(group, groups))
    known = [(step, metric) for step in steps if (metric := declared(step).get(name)) is not None and _is_measured(step, metric)]
    if not known:
        names = sorted({one for step in steps for one, metric in declared(step).items() if _is_measured(step, metric)})
        raise _error(written, f"`{group}` does not measure `{name}`.", did_you_mean(name, names))
    step, metric = _one(known, source, written)
    better = way or metric.get("better", "")
    if not better:
        raise _error(written, f"Its plugin does not say which way `{name}` is better.", f"Say it: `{path}:higher` or `{path}:lower`.")
    return PlannedMetric(Goal(path, better), step.name, name)


def find_followed(plan: Plan, metric: PlannedMetric) -> PlannedMetric | None:
    """What can be followed on the way to a metric: a validation that a step measures which the metric's own step depends on."""
    steps = {step.name: step for step in plan.steps}
    for step in upstream(steps, metric.step):
        for name, facts in declared(step).items():
            if name.startswith("validation_") and facts.get("better") and _is_measured(step, facts):
                return PlannedMetric(Goal(f"{step.group}.{name}", facts["better"]), step.name, name)
    return None


def upstream(steps: Mapping[str, PlannedStep], name: str) -> Iterator[PlannedStep]:
    """A step and all that it depends on, the nearest first."""
    waiting, seen = [name], {name}
    while waiting:
        step = steps[waiting.pop(0)]
        yield step
        for source in step.inputs.values():
            if source.step and source.step not in seen:
                seen.add(source.step)
                waiting.append(source.step)


def declared(step: PlannedStep) -> Mapping[str, Mapping[str, Any]]:
    """name -> what the step's verb and main provider say of the metrics that they measure."""
    records = [step.verb, *(choice.record for slot, choice in step.choices.items() if slot == step.verb.main_kind)]
    found: dict[str, Mapping[str, Any]] = {}
    for record in records:
        metrics = record.facts.get("metrics")
        found |= metrics if isinstance(metrics, Mapping) else {}
    return found


def _is_measured(step: PlannedStep, metric: Mapping[str, Any]) -> bool:
    needed = metric.get("with") or ()
    return not needed or any(name in step.inputs or step.settings.get(name) for name in needed)


def _one(known: list[tuple[PlannedStep, Any]], source: list[str], written: str) -> tuple[PlannedStep, Any]:
    """The one that is meant of those that measure it, each of another source."""
    if source:
        found = [one for one in known if one[0].source == source[0]]
        if not found:
            raise _error(written, f"It is not measured of `{source[0]}`.", did_you_mean(source[0], [one[0].source for one in known]))
        return found[0]
    found = [one for one in known if one[0].source != MODEL] or known  # what the pipeline starts from is no trial's
    if len(found) > 1:
        group, _, name = written.partition(":")[0].partition(".")
        wanted = listed([f"`{group}.{step.source}.{name}`" for step, _ in found])
        raise _error(written, "The step measures it of several.", f"Say of which: {wanted}.")
    return found[0]


def _error(written: str, why: str, fix: str) -> UserError:
    return UserError("TS-TUNE-003", f"--metric {written} can't be searched by", why=why, fix=fix)
