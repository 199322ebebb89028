"""Gates, checked by the host when a group of steps is done."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.errors import TunesmithError
from tunesmith.planning.gates import check_gate
from tunesmith.planning.plan import Gate
from tunesmith.running.context import Context
from tunesmith.running.outcome import GateOutcome


def group_metrics(context: Context, group: str) -> dict[str, dict[str, float]]:
    """Metrics of a group's steps by what they are about: source -> metric -> value."""
    found: dict[str, dict[str, float]] = {}
    for step in context.plan.steps:
        if step.group == group and step.name in context.outcomes:
            found.setdefault(step.source or step.group, {}).update(context.outcomes[step.name].metrics)
    return found


def check_gates(context: Context, group: str) -> TunesmithError | None:
    """Check the gates of a group, tell of each, and give the error of those that did not hold."""
    metrics: Mapping[str, Mapping[str, float]] = group_metrics(context, group)
    failed = [sentence for gate in context.plan.gates if gate.group == group for sentence in _check(context, gate, metrics)]
    if not failed:
        return None
    return TunesmithError(
        "TS-RUN-020", f"The gate of `{group}` did not hold: " + "; ".join(failed),
        fix="What needs it was not run. Look at the samples in the report; change the model or the gate, then run again.",
    )  # fmt: skip


def _check(context: Context, gate: Gate, metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    failed = []
    for check in check_gate(gate, metrics):
        outcome = GateOutcome(gate.group, check.sentence, check.holds)
        context.gates.append(outcome)
        context.journal.event(context.run.id, gate.group, "gate" if check.holds else "error", check.sentence)
        context.reporter.gate_checked(outcome)
        if not check.holds:
            failed.append(check.sentence)
    return failed
