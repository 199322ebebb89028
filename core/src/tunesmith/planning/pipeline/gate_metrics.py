"""Gates against the metrics that steps can give, as their verbs and main providers declare them (the fact ``metrics``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tunesmith.errors import did_you_mean, listed
from tunesmith.planning.pipeline.spec import MODEL, PipelineSpec
from tunesmith.planning.pipeline.step_syntax import AUTO, StepSpec
from tunesmith.planning.plan import Gate
from tunesmith.planning.problems import Notes
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.planning.plan_builder import PlanBuilder

Metrics = Mapping[str, Mapping[str, Any]]


def check_gates(steps: Iterable[StepSpec], spec: PipelineSpec, builder: PlanBuilder, notes: Notes) -> None:
    """Note gates over what their step can't measure, and those of which nobody can say it before the step has run."""
    for step in steps:
        mains = _mains(step, builder)
        unknown = [f"`{record.name}`" for record in (step.verb, *mains) if not isinstance(record.facts.get("metrics"), Mapping)]
        known: dict[str, Mapping[str, Any]] = {}
        for record in (step.verb, *mains):
            known |= record.facts["metrics"] if isinstance(record.facts.get("metrics"), Mapping) else {}
        for gate in step.gates:
            where = spec.where("steps", step.name, "gate", gate.metric)
            if gate.metric in known:
                _check_given(gate, known[gate.metric], step, builder, where)
            elif unknown:
                sentence = f"{', '.join(unknown)} {'does' if len(unknown) == 1 else 'do'} not declare what is measured"
                notes.warn(f"{where}: whether `{step.name}` measures `{gate.metric}` is known once it has run: {sentence}")
            elif not step.verb.main_kind or len(mains) == max(1, len(step.main)):
                fix = did_you_mean(gate.metric, known) if known else "Take the gate out: it measures nothing."
                notes.problem("TS-SPEC-012", f"{where}: `{step.name}` does not measure `{gate.metric}`", fix=fix)
            _check_relation(gate, step, spec, where, notes)


def _mains(step: StepSpec, builder: PlanBuilder) -> list[ProviderRecord]:
    """The main providers that are known: those that are named, and those that were chosen."""
    found = [choice.record for wanted in step.main if (choice := builder.chosen.get(wanted.path))]
    if any(wanted.name == AUTO for wanted in step.main):
        planned = (s for s in builder.steps if s.group == step.name and s.verb.main_kind in s.choices)
        found += [s.choices[s.verb.main_kind].record for s in planned][:1]
    return found


def _check_given(gate: Gate, metric: Mapping[str, Any], step: StepSpec, builder: PlanBuilder, where: str) -> None:
    """A metric may be there only with an input or a setting (its ``with``)."""
    verb, needed = builder.verbs.get(step.name), metric.get("with") or ()
    if verb and needed and not any(step.inputs.get(name) or verb.settings.get(name) for name in needed):
        what = f"{where}: `{step.name}` measures `{gate.metric}` only with {listed(needed)}"
        builder.notes.problem("TS-SPEC-012", what, fix="Give it, or take the gate out.")


def _check_relation(gate: Gate, step: StepSpec, spec: PipelineSpec, where: str, notes: Notes) -> None:
    if gate.relative_to and gate.relative_to not in step.sources:
        notes.problem(
            "TS-SPEC-012", f"{where}: `{step.name}` does not measure `{gate.relative_to}`, which the gate compares with",
            fix=f"Add it: `from: [{', '.join((gate.relative_to, *step.sources))}]`." if gate.relative_to in {*spec.steps, MODEL}
            else did_you_mean(gate.relative_to, step.sources),
        )  # fmt: skip
    if gate.relative_to and step.sources == (gate.relative_to,):
        notes.problem("TS-SPEC-012", f"{where}: the gate compares `{gate.relative_to}` with itself", fix="Add another source to `from`.")
