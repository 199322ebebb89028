"""Gates, checked by the host when a group of steps is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.errors import TunesmithError
from tunesmith.planning.gates import GateCheck, check_gate
from tunesmith.planning.plan import Gate
from tunesmith.running.context import Context
from tunesmith.running.outcome import GATE, GateOutcome


def group_metrics(context: Context, group: str) -> dict[str, dict[str, float]]:
    """Metrics of a group's steps by what they are about: source -> metric -> value. A report is about its source; what else a single step
    measures (a training its loss) is about what it made."""
    found: dict[str, dict[str, float]] = {}
    steps = [step for step in context.plan.steps if step.group == group]
    for step in steps:
        if step.name in context.outcomes:
            of_source = len(steps) > 1 or step.format.startswith("report/")
            found.setdefault((step.source if of_source else "") or group, {}).update(context.outcomes[step.name].metrics)
    return found


def check_gates(context: Context, group: str) -> TunesmithError | None:
    """Check the gates of a group, tell of each, and give the error of those that did not hold."""
    metrics: Mapping[str, Mapping[str, float]] = group_metrics(context, group)
    failed = [check for gate in context.plan.gates if gate.group == group for check in _failed(context, gate, metrics)]
    if not failed:
        return None
    return TunesmithError(
        GATE, f"The gate of `{group}` did not hold: " + "; ".join(check.sentence for check in failed),
        why="What needs it was not run; the report shows the samples.",
        fix=f"{_remedy(context, failed)}, or the bound under `gate` of `{group}`; then run again: what is unchanged comes from the cache.",
    )  # fmt: skip


def _remedy(context: Context, failed: Sequence[GateCheck]) -> str:
    """What there is to change in what was judged."""
    made = [step.group for step in context.plan.steps if not step.inserted]
    sources = [f"`{source}`" for source in dict.fromkeys(check.source for check in failed) if source in made]
    return f"Change the data or the settings of {' or '.join(sources)}" if sources else "Change the model"


def _failed(context: Context, gate: Gate, metrics: Mapping[str, Mapping[str, float]]) -> list[GateCheck]:
    failed = []
    for check in check_gate(gate, metrics):
        outcome = GateOutcome(gate.group, check.sentence, check.holds)
        context.gates.append(outcome)
        context.journal.event(context.run.id, gate.group, "gate" if check.holds else "error", check.sentence)
        context.reporter.gate_checked(outcome)
        if not check.holds:
            failed.append(check)
    return failed
