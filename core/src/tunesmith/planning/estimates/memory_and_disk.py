"""Memory and disk before anything runs: asks the plugins' estimators, compares with what the machine has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.contracts.settings import problems
from tunesmith.contracts.step import Placement
from tunesmith.errors import TunesmithError, UserError
from tunesmith.planning.cache_keys import twins
from tunesmith.planning.estimates.device_memory import Capacity
from tunesmith.planning.estimates.estimators import Estimators, NoEstimate
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.plan import Choice, Plan, PlannedStep, facts_of
from tunesmith.planning.problems import Notes
from tunesmith.units import bytes_text

OVERRULED = "`ignore_estimates` is set"
OVERRULE = "If you know better than the estimate: `--ignore-estimates`, or `ignore_estimates: true` in the pipeline."
MARGIN = 1.15  # estimates are not exact: forbid only what is over by more


def estimate(
    name: str, verb: Choice, choices: Mapping[str, Choice], product: Product | None, data: Mapping[str, Any], place: Placement,
    notes: Notes, estimators: Estimators, where: str = "", devices: Sequence[Device] = (),
    others: Mapping[str, Product] = MappingProxyType({}),
) -> Estimate | None:  # fmt: skip
    """The estimate of a step: its providers are asked first, the verb last. None, perhaps with a warning, where nobody knows.

    What the answers say besides figures becomes decisions of the plan.

    An estimator that raises a `UserError` says that these settings can't work on this model: that is a problem of the plan.

    Args:
        product: the main input as the step reads it; None if there is none.
        data: statistics of the rows.
        place: what the step computes on.
        estimators: the plugins'.
        where: its place in the pipeline, for such a problem.
        devices: that it may compute on.
        others: its other inputs, by name.
    """
    parts: dict[str, Mapping[str, float]] = {}
    data, rows = {name: value for name, value in data.items() if name != "first"}, data.get("first", ())
    model = product or Product("", "", "")
    beside = {key: {"config": p.config, "bytes": p.size, "format": p.format, **p.service} for key, p in others.items() if p.config}
    answers: list[Estimate] = []
    # what a provider would take of a device counts only where one is used
    for slot, choice in (*(choices.items() if verb.record.computes else ()), ("", verb)):
        if not choice.record.estimator:
            continue
        request = EstimateRequest(
            model.config, model.size, choice.settings, verb.settings, parts, data, place.device, place.dtypes, model.format,
            model.model_bytes, model.directory, tuple(rows), devices=tuple(devices), processes=place.processes, models=beside,
            inputs=tuple(others), facts=facts_of(verb.record, choices),
        )  # fmt: skip
        try:
            given = estimators.estimate(choice.record, request, choices)
            if isinstance(given, Estimate):
                _check(given.terms, given.disk, given.host, given.sent, given.seconds)
                for wrong in problems(verb.record.schema, {**verb.settings, **given.settings}):
                    raise ValueError("it takes a setting that can't be: " + " ".join(wrong))
                answers.append(given)
                parts[slot] = {**given.terms, "disk": given.disk}
            elif given is not None:
                parts[slot] = given
        except UserError as error:
            notes.adopt(error, where or name)
            return None
        except Exception as error:  # an estimator's bug must not stop a plan
            sentence = str(error) if isinstance(error, NoEstimate) else f"{type(error).__name__}: {error}"
            who = f"the estimator of `{choice.record.name}` ({choice.record.distribution})"
            notes.warn(f"{name}: the estimate is unknown; {who} failed: {sentence}")
            return None
    for answer in answers:
        for what, reason in (*(("its memory", note) for note in answer.notes), *answer.decisions):
            notes.decide(name, what, reason)
        for sentence in answer.warnings:
            notes.warn(f"{name}: {sentence}")
    return answers[-1] if answers else None


def _check(terms: Mapping[str, float], *others: float) -> None:
    for value in (*terms.values(), *others):
        if not 0 <= float(value) < 1e18:
            raise ValueError(f"{value} is no number of bytes or seconds")


def check_memory(step: PlannedStep, devices: Sequence[Device], where: str, notes: Notes, *, ignore: bool = False) -> None:
    """Compare a step's estimate with the memory of its device and of the host: an error if it can't fit, a warning if it is tight now.

    Args:
        ignore: the user has overruled estimates: then it is a warning and a decision.
    """
    if step.estimate is None or not devices or not step.estimate.memory:
        return
    device = Capacity.of(devices, step.placement.processes)
    shared, needed, host = device.sharing, device.needed(step.estimate), device.of_host(step.estimate)
    largest = sorted(step.estimate.terms.items(), key=lambda term: -term[1])
    terms = ", ".join(f"{name} {bytes_text(value)}" for name, value in largest if value)

    def forbid(what: str, why: str, fix: str) -> None:
        what = f"the step `{step.name}` needs about {what}"
        if step.alternatives:
            why += "; " + "; ".join(": ".join(one.decision) for one in step.alternatives if not one.taken)
        if ignore:
            notes.warn(f"{what} ({why})")
            notes.decide(step.name, "started although its estimate says that it does not fit", OVERRULED)
        else:
            notes.problem("TS-PLAN-008", f"{where}: {what}", why=why, fix=f"{fix} {OVERRULE}")

    if needed > device.memory * MARGIN:
        why = f"{terms}" + (f"; {shared} processes share the device" if shared > 1 else "")
        fewer = "Fewer processes share the device's memory. " if shared > 1 else ""
        smaller = f"Make the largest part ({largest[0][0]}) smaller: a smaller model, batch or context, or fewer bits."
        forbid(f"{bytes_text(needed)} of memory, {device.name} has {bytes_text(device.memory)}", why, fewer + smaller)
    elif needed > device.free:
        notes.warn(
            f"{step.name}: needs about {bytes_text(needed)} of memory ({terms}); {device.name} has {bytes_text(device.free)} free now"
        )
    if device.host and host > device.host * MARGIN:
        what = f"{bytes_text(host)} of the host's memory for each device, and there are {bytes_text(device.host)}"
        forbid(what, "What does not lie on a device lies there.", "Keep more of it on the device, or take fewer bits.")


def check_disk(plan: Plan, free: int, done: Callable[[str], bool] = lambda step: False) -> list[TunesmithError]:
    """What speaks against writing the plan's artifacts where `free` bytes are free.

    Args:
        done: whether a step (by name) is in the store already.
    """
    same = twins(plan.steps)
    ahead = [step for step in plan.steps if step.name not in same and not done(step.name)]
    sizes = {step.name: step.estimate.disk for step in ahead if step.estimate and step.estimate.disk}
    needed = sum(sizes.values())
    if needed <= free or plan.ignore_estimates:
        return []
    largest = ", ".join(f"{name} {bytes_text(value)}" for name, value in sorted(sizes.items(), key=lambda item: -item[1])[:3])
    return [UserError("TS-PLAN-009", f"The pipeline will write about {bytes_text(needed)}, and {bytes_text(free)} are free on the disk",
                      why=f"The largest: {largest}.",
                      fix=f"Free some space, or put the project's home elsewhere: --home DIR. {OVERRULE}")]  # fmt: skip
