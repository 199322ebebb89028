"""Gates: bounds that metrics must keep before anything that needs them runs.

The grammar: ``<=|<|>=|> NUMBER [x STEP]``, as in ``"<= 1.05x tune"``: at most 1.05 times what `tune` scores.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.errors import UserError, did_you_mean
from tunesmith.planning.plan import Gate, Plan

_GATE = re.compile(
    r"\s*(?P<op><=|>=|<|>)\s*(?P<value>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"\s*(?:[xX×*]\s*(?P<step>[A-Za-z][\w.-]*))?\s*",
    re.ASCII,
)
_COMPARE = {"<=": float.__le__, "<": float.__lt__, ">=": float.__ge__, ">": float.__gt__}


@dataclass(frozen=True)
class GateCheck:
    """How one source of a group fares: `value` against `bound`; NaN where a number is missing, and then it does not hold.

    Args:
        measured: the metrics that there are of it.
    """

    gate: Gate
    source: str
    value: float
    bound: float
    measured: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return _COMPARE[self.gate.op](float(self.value), float(self.bound))

    @property
    def sentence(self) -> str:
        if math.isnan(self.value):
            near = did_you_mean(self.gate.metric, self.measured)
            return f"`{self.source}` has no {self.gate.metric}, so `{self.gate.text}` can't be checked ({near.rstrip('.')})"
        if math.isnan(self.bound):
            return f"`{self.gate.relative_to}` has no {self.gate.metric}, so `{self.gate.text}` can't be checked"
        bound = f"{self.gate.op} {self.bound:.6g}" + (f" ({self.gate.text})" if self.gate.relative_to else "")
        return f"{self.gate.metric} of `{self.source}` is {self.value:.6g}, {'within' if self.holds else 'not'} {bound}"


def parse_gate(group: str, metric: str, text: object, where: str = "") -> Gate:
    """The gate that `text` describes.

    Args:
        where: the place in the pipeline file, for the error.

    Raises:
        UserError: TS-SPEC-011 when it is not of the grammar.
    """
    match = _GATE.fullmatch(text) if isinstance(text, str) else None
    value = float(match["value"]) if match else math.nan
    if match is None or not math.isfinite(value):
        guess = f'"<= {text}"' if isinstance(text, (int, float)) and not isinstance(text, bool) else '"<= 20" or ">= 0.9x tune"'
        raise UserError(
            "TS-SPEC-011", f"{where or group + '.gate'}: `{text}` is not a bound for {metric}",
            why="A gate is <=, <, >= or >, a number and, if it is relative, `x` and a step.", fix=f"Write it as {guess}.",
        )  # fmt: skip
    return Gate(group, metric, match["op"], value, match["step"] or "", str(text).strip())


def group_metrics(plan: Plan, group: str, measured: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Metrics of a group's steps by what they are about: source -> metric -> value. A report is about its source; what else a single step
    measures (a training its loss) is about what it made.

    Args:
        measured: step -> metric -> value.
    """
    found: dict[str, dict[str, float]] = {}
    steps = [step for step in plan.steps if step.group == group]
    for step in steps:
        if step.name in measured:
            of_source = len(steps) > 1 or step.format.startswith("report/")
            found.setdefault((step.source if of_source else "") or group, {}).update(measured[step.name])
    return found


def check_gate(gate: Gate, metrics: Mapping[str, Mapping[str, float]]) -> tuple[GateCheck, ...]:
    """How every source of the gate's group fares, but for the one that it is relative to.

    Args:
        metrics: source (``tune``, `PlannedStep.source`) -> metric -> value, of the gate's group.
    """
    bound = gate.value
    if gate.relative_to:
        bound *= metrics.get(gate.relative_to, {}).get(gate.metric, math.nan)
    return tuple(
        GateCheck(gate, source, values.get(gate.metric, math.nan), bound, tuple(values))
        for source, values in metrics.items()
        if source != gate.relative_to
    )
