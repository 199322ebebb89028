"""Everything that the report says, as plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tunesmith import RunView
from tunesmith_report.environments import environments, host
from tunesmith_report.rollouts import rollouts

_PASSWORD = re.compile(r"(?<=//)[^/@\s]*@")  # in an address
SAMPLES = 12  # rows per evaluator
COMPLETIONS = 12  # times at which a model in training was asked: the first ones and the last
METRICS = "report/metrics"  # the format of what an evaluation gives


def report_data(view: RunView) -> dict[str, Any]:
    """The report of a run as JSON: what ran, what came of it, and why it was done so."""
    row, plan = view.row, view.plan
    steps = [_step(view, step) for step in plan.steps if step.name in view.steps]
    return {
        "run": row.id, "pipeline": plan.name, "state": row.state, "error": row.error, "started": row.started, "finished": row.finished,
        "steps": steps, "scores": _scores(view, steps), "gates": [vars(gate) for gate in view.gates], "samples": _samples(view),
        "completions": _completions(view), "rollouts": rollouts(view), "findings": _findings(view),
        "curves": _curves(view), "warnings": [*plan.warnings, *_warnings(view)],
        "decisions": [{"step": step, "what": what, "reason": reason} for step, what, reason in view.decisions],
        "environment": host(plan), "environments": environments(view), "source": _PASSWORD.sub("", plan.text),
    }  # fmt: skip


def _findings(view: RunView) -> list[dict[str, Any]]:
    """What a plugin has found out about the run: ``findings.json`` in its directory (docs/runs.md)."""
    try:
        found = json.loads((view.directory / "findings.json").read_text(encoding="utf-8"))
        return [one for one in found if isinstance(one, dict) and isinstance(one.get("what"), str)]
    except (OSError, ValueError, TypeError):
        return []


def _warnings(view: RunView) -> list[str]:
    """What steps warned of while they ran, and what went wrong around them: somebody who listens has failed."""
    told = ((step, text) for _, step, kind, text in view.events() if kind == "warning")
    return list(dict.fromkeys(f"{step}: {text}" if step else text for step, text in told))


def _step(view: RunView, step: Any) -> dict[str, Any]:
    seen = view.steps[step.name]
    row, made = seen.row, seen.made
    return {
        "name": step.name, "group": step.group, "verb": step.verb.name, "source": step.source, "inserted": step.inserted,
        "service": step.verb.service,
        "state": row.state, "cached": row.cached, "attempts": row.attempt, "seconds": seen.seconds, "key": row.key,
        "artifact": row.artifact, "format": step.format, "size": view.size(step.name),
        "metrics": dict(seen.metrics), "error": row.error,
        "providers": {
            slot: {"name": choice.record.name, "settings": dict(choice.settings)} for slot, choice in step.told.items()
        },
        "settings": made.producer.get("step", {}) if made else dict(step.settings),
        "device": step.placement.device, "processes": step.placement.processes,
    }  # fmt: skip


def _scores(view: RunView, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One table per group that evaluates: metric -> subject -> value."""
    tables = []
    planned = {step.name: step for step in view.plan.steps}
    for group in dict.fromkeys(step.group for step in view.plan.steps if step.verb.produces == (METRICS,)):
        metrics: dict[str, dict[str, float]] = {}
        better: dict[str, str] = {}
        for member in (step for step in steps if step["group"] == group):
            declared: dict[str, Any] = {}
            for choice in planned[member["name"]].choices.values():
                declared.update(choice.record.facts.get("metrics", {}))
            for name, value in member["metrics"].items():
                metrics.setdefault(name, {})[member["source"] or member["name"]] = value
                better[name] = declared.get(name, {}).get("better", "")
        if metrics:
            subjects = list(dict.fromkeys(subject for row in metrics.values() for subject in row))
            tables.append({"group": group, "subjects": subjects, "metrics": metrics, "better": better})
    return tables


def _samples(view: RunView) -> list[dict[str, Any]]:
    """Per group and evaluator that has answers: rows with each subject's answer side by side."""
    tables: dict[tuple[str, str], dict[str, Any]] = {}
    for step in view.plan.steps:
        if step.format != METRICS or step.name not in view.steps:
            continue
        evaluator = next((c.record.name for c in step.choices.values() if c.record.kind == "evaluator"), step.verb.name)
        found = [
            sample
            for sample in _read(view, step.name, "samples.jsonl")
            if "answer" in sample and {"right", "score", "expected"} & set(sample)
        ]
        for number, sample in enumerate(found[:SAMPLES]):
            empty = {"group": step.group, "evaluator": evaluator, "count": len(found), "rows": {}}
            table = tables.setdefault((step.group, evaluator), empty)
            question, right = sample.get("prompt", sample.get("question", "")), sample.get("right")
            entry = table["rows"].setdefault(number, {"question": question, "expected": sample.get("expected", ""), "answers": {}})
            if right is None and sample.get("score") in (0, 1, 0.0, 1.0):
                right = bool(sample["score"])
            entry["answers"][step.source or step.name] = {"answer": sample["answer"], "score": sample.get("score"), "right": right}
    return [{**table, "rows": list(table["rows"].values())} for table in tables.values()]


def _completions(view: RunView) -> list[dict[str, Any]]:
    """Per training step that was asked something: its prompts, and the answers by the optimizer step that they were given after."""
    tables = []
    for step in view.steps:
        said: dict[int, dict[str, str]] = {}
        for line in _read(view, step, "completions.jsonl"):
            if {"step", "prompt", "completion"} <= set(line):
                said.setdefault(line["step"], {})[line["prompt"]] = line["completion"]
        if said:
            told = sorted(said)[: COMPLETIONS - 1] + sorted(said)[COMPLETIONS - 1 :][-1:]
            prompts = list(dict.fromkeys(prompt for answers in said.values() for prompt in answers))
            tables.append({"step": step, "prompts": prompts, "count": len(said), "rows": [{"at": at, "answers": said[at]} for at in told]})
    return tables


def _read(view: RunView, step: str, name: str) -> Iterator[dict[str, Any]]:
    artifact = view.artifact(step)
    try:
        with open(artifact.path / name if artifact else "", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, ValueError):
        return


_PEAK = "process_peak_memory"  # a figure of the step's process that the kernel notes when the step is over: no curve


def _curves(view: RunView) -> list[dict[str, Any]]:
    return [
        {"step": step, "name": name, "points": [[at, value if value == value else None] for at, value in points]}
        for step in view.steps
        for name, points in view.series(step).items()
        if name != _PEAK
    ]  # fmt: skip
