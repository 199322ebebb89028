"""Gates, checked by the host when a group of steps is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.errors import TunesmithError
from tunesmith.planning.pipeline.gates import GateCheck, check_gate, group_metrics
from tunesmith.planning.plan import Gate
from tunesmith.running.outcome import GATE, GateOutcome
from tunesmith.running.run_context import RunContext


def check_gates(context: RunContext, group: str) -> TunesmithError | None:
    """Check the gates of a group, tell of each, and give the error of those that did not hold."""
    metrics = group_metrics(context.plan, group, {name: outcome.metrics for name, outcome in context.outcomes.items()})
    failed = [check for gate in context.plan.gates if gate.group == group for check in _failed(context, gate, metrics)]
    if not failed:
        return None
    return TunesmithError(
        GATE, f"The gate of `{group}` did not hold: " + "; ".join(check.sentence for check in failed),
        why="What needs it was not run.",
        fix=f"{_remedy(context, failed)}, or the bound under `gate` of `{group}`; then run again: what is unchanged comes from the cache.",
    )  # fmt: skip


def _remedy(context: RunContext, failed: Sequence[GateCheck]) -> str:
    """What there is to change in what was judged."""
    made = [step.group for step in context.plan.steps if not step.inserted]
    sources = [f"`{source}`" for source in dict.fromkeys(check.source for check in failed) if source in made]
    return f"Change the data or the settings of {' or '.join(sources)}" if sources else "Change the model"


def _failed(context: RunContext, gate: Gate, metrics: Mapping[str, Mapping[str, float]]) -> list[GateCheck]:
    failed = []
    for check in check_gate(gate, metrics):
        outcome = GateOutcome(gate.group, check.sentence, check.holds)
        context.gates.append(outcome)
        context.journal.event(context.run.id, gate.group, "gate" if check.holds else "error", check.sentence)
        context.reporter.gate_checked(outcome)
        if not check.holds:
            failed.append(check)
    return failed
