"""The space held against the pipeline before anything runs: its ends and its choices are planned, each beside the others' middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from tunesmith.errors import TunesmithError, UserError
from tunesmith.planning.plan import Plan
from tunesmith_tune.api import Parameter, Value


def check_space(space: Sequence[Parameter], plan: Callable[[Mapping[str, Value]], Plan]) -> Plan:
    """The plan in the middle of the space.

    Raises:
        UserError: TS-TUNE-002 for a value with which the pipeline does not plan.
    """
    middle = {one.name: one.spread(3)[len(one.spread(3)) // 2] for one in space}
    first = _planned(middle, "", plan)
    for name, value in _ends(space, middle):
        _planned(middle | {name: value}, name, plan)
    return first


def _ends(space: Sequence[Parameter], middle: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    for one in space:
        for value in one.spread(2):
            if value != middle[one.name]:
                yield one.name, value


def _planned(values: Mapping[str, Value], name: str, plan: Callable[[Mapping[str, Value]], Plan]) -> Plan:
    try:
        return plan(values)
    except TunesmithError as error:
        said = name or ", ".join(values)
        what = f"with {name} = {values[name]} the pipeline can't be planned" if name else f"the pipeline can't be planned with {said} set"
        raise UserError("TS-TUNE-002", what, why=f"{error.code}: {error.what}. {error.why}".strip(), fix=error.fix) from error


def at_once(plan: Plan, wanted: int, free: Mapping[str, float]) -> tuple[int, str]:
    """How many trials run at a time, and why not more.

    Args:
        wanted: how many were asked for.
        free: backend -> bytes that a device of it has free. Each step counts on the device that it runs on.
    """
    fewest, why = wanted, ""
    for step in plan.steps:
        needed, there = step.estimate.memory if step.estimate else 0.0, free.get(step.placement.device, 0.0)
        fit = max(1, int(0.9 * there // needed)) if needed and there else wanted
        if fit < fewest:
            fewest, why = fit, f"{fit} at a time in place of {wanted}: one needs {needed / 2**30:.2g} GiB of {there / 2**30:.2g} GiB"
    return fewest, why
