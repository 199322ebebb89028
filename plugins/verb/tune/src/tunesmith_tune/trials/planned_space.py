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


def at_once(plan: Plan, wanted: int, free: float) -> tuple[int, str]:
    """How many trials run at a time, and why not more.

    Args:
        wanted: how many were asked for.
        free: bytes that the device has free.
    """
    needed = max((step.estimate.memory for step in plan.steps if step.estimate), default=0.0)
    fit = int(0.9 * free // needed) if needed and free else wanted
    if fit >= wanted:
        return wanted, ""
    return max(1, fit), f"{max(1, fit)} at a time in place of {wanted}: one needs {needed / 2**30:.2g} GiB of {free / 2**30:.2g} GiB"
