"""What evaluations say that their figures alone don't: gates kept by chance, answers that don't end."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tunesmith_recommend.diagnosis.finding import Finding, rules

if TYPE_CHECKING:
    from tunesmith import RunView
    from tunesmith.planning.plan import Gate, PlannedStep


def within_noise(view: RunView) -> Iterator[Finding]:
    """Gates that were kept, or not, by so little that other rows might have said otherwise."""
    rule = rules()["gate.within-noise"]
    for gate in view.plan.gates:
        asked = {step.source or step.group: step for step in view.plan.steps if step.group == gate.group and step.name in view.steps}
        for source, step in asked.items():
            if source == gate.relative_to or gate.metric not in view.steps[step.name].metrics:
                continue
            told = _relative(view, gate, step, asked.get(gate.relative_to)) if gate.relative_to else _absolute(view, gate, step)
            if told:
                rows, evidence = told
                file = shlex.quote(str(view.plan.path)) if view.plan.path else ""
                yield Finding.of(
                    rule, step.name, f"the gate `{gate.metric} {gate.text}` of `{source}` is decided within noise, by {rows} rows",
                    evidence,
                    fix="Evaluate on more rows before you rely on it: four times as many halve the interval.",
                    command=f"tunesmith run {file} --set steps.{gate.group}.data=MORE_ROWS.jsonl" if file else "",
                )  # fmt: skip


def _absolute(view: RunView, gate: Gate, step: PlannedStep) -> tuple[int, str] | None:
    from tunesmith_cli.api import metric_interval, number, samples

    value, found = view.steps[step.name].metrics[gate.metric], samples(view.artifact(step.name))
    sure = metric_interval(value, found)
    if sure is None or not sure.low <= gate.value <= sure.high:
        return None
    return len(
        found
    ), f"{gate.metric} is {number(value)}, between {sure.low:.4g} and {sure.high:.4g} (95 %), and the bound is {gate.value:g}"


def _relative(view: RunView, gate: Gate, step: PlannedStep, other: PlannedStep | None) -> tuple[int, str] | None:
    """Of the difference from the step that the gate is relative to, on the rows that both were asked."""
    if other is None or gate.metric not in view.steps[other.name].metrics:
        return None
    from tunesmith_cli.api import metric_difference, sample_pairs, samples

    value, base = (view.steps[one.name].metrics[gate.metric] for one in (step, other))
    told = [samples(view.artifact(one.name)) for one in (other, step)]
    both = sample_pairs(*told)
    sure = metric_difference(gate.metric, (base, value), both, len(both) == len(told[0]) == len(told[1]))
    allowed = (gate.value - 1) * base
    if sure is None or not sure.low <= allowed <= sure.high:
        return None
    return len(both), (
        f"{gate.metric} differs from `{gate.relative_to}`'s by {sure.value:+.4g}, between {sure.low:+.4g} and {sure.high:+.4g} (95 %), "
        f"and {allowed:+.4g} is the bound"
    )


def go_on(view: RunView) -> Iterator[Finding]:
    """Answers that begin with what was expected, and do not end there."""
    rule = rules()["answers.go-on"]
    for step in view.plan.steps:
        if step.name not in view.steps or not step.format.startswith("report/"):
            continue
        from tunesmith_cli.api import samples

        begun = [pair for sample in samples(view.artifact(step.name)) if (pair := _begun(sample))]
        further = [(answer, expected) for answer, expected in begun if len(answer) > 2 * len(expected)]
        if len(begun) >= rule["least"] and len(further) >= rule["share"] * len(begun):
            answer, expected = further[0]
            yield Finding.of(
                rule, step.name, f"answers do not end: {len(further)} of {len(begun)} that begin rightly go on",
                f"expected {_short(expected)}, answered {_short(answer)}",
                fix="The end token was hardly trained on: look at where labels end in a row, and train on answers that are whole.",
            )  # fmt: skip


def _begun(sample: Mapping[str, Any]) -> tuple[str, str] | None:
    answer, expected = sample.get("answer"), sample.get("expected")
    if not isinstance(answer, str) or not isinstance(expected, str) or not expected.strip():
        return None
    return (answer, expected) if answer.strip().casefold().startswith(expected.strip().casefold()) else None


def _short(text: str, most: int = 60) -> str:
    one = " ".join(text.split())
    return repr(one if len(one) <= most else one[:most] + "...")
