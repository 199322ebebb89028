"""Everything that the report says, as plain data."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from typing import Any

from tunesmith import __version__
from tunesmith.planning.gates import check_gate
from tunesmith.planning.plan import Plan, PlannedStep
from tunesmith.running.run_view import RunView, StepView
from tunesmith.running.store import Store

SAMPLES = 12  # rows per evaluator


def report_facts(view: RunView, store: Store, plan: Plan) -> dict[str, Any]:
    """The report of a run as JSON: what ran, what came of it, and why it was done so.

    Args:
        plan: as it is now: of a run that goes on, with the keys of its environments.
    """
    row = view.row
    steps = [_step(store, step, view.steps[step.name]) for step in plan.steps if step.name in view.steps]
    scores = _scores(plan, steps)
    return {
        "run": row.id, "pipeline": plan.name, "state": row.state, "error": row.error, "started": row.started, "finished": row.finished,
        "steps": steps, "scores": scores, "gates": _gates(plan, scores, steps), "samples": _samples(store, plan, view),
        "curves": _curves(plan, view), "warnings": list(plan.warnings),
        "decisions": [{"step": step, "what": what, "reason": reason} for step, what, reason in view.decisions],
        "environment": _environment(plan), "source": plan.text,
    }  # fmt: skip


def _step(store: Store, step: PlannedStep, seen: StepView) -> dict[str, Any]:
    row, known = seen.row, seen.made
    return {
        "name": step.name, "group": step.group, "verb": step.verb.name, "source": step.source, "inserted": step.inserted,
        "service": step.verb.service,
        "state": row.state, "cached": row.cached, "attempts": row.attempt, "seconds": seen.seconds, "key": row.key,
        "artifact": row.artifact, "format": step.format, "size": store.size(row.artifact) if row.artifact else None,
        "metrics": dict(seen.metrics), "error": row.error,
        "providers": {
            slot: {"name": choice.record.name, "settings": dict(choice.settings)} for slot, choice in step.told.items()
        },
        "settings": known.producer.get("step", {}) if known else dict(step.settings),
        "device": step.placement.device, "processes": step.placement.processes,
    }  # fmt: skip


def _scores(plan: Plan, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One table per group that evaluates: metric -> subject -> value."""
    tables = []
    for group in dict.fromkeys(step.group for step in plan.steps if step.verb.produces == ("report/metrics",)):
        members = [step for step in steps if step["group"] == group and step["metrics"]]
        metrics: dict[str, dict[str, float]] = {}
        better: dict[str, str] = {}
        for member in members:
            planned = next(step for step in plan.steps if step.name == member["name"])
            declared: dict[str, Any] = {}
            for choice in planned.choices.values():
                declared.update(choice.record.facts.get("metrics", {}))
            for name, value in member["metrics"].items():
                metrics.setdefault(name, {})[member["source"] or member["name"]] = value
                better[name] = declared.get(name, {}).get("better", "")
        if metrics:
            subjects = list(dict.fromkeys(subject for row in metrics.values() for subject in row))
            tables.append({"group": group, "subjects": subjects, "metrics": metrics, "better": better})
    return tables


def _gates(plan: Plan, scores: list[dict[str, Any]], steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for gate in plan.gates:
        table = next((table for table in scores if table["group"] == gate.group), None)
        if table:
            by_subject = {s: {m: row[s] for m, row in table["metrics"].items() if s in row} for s in table["subjects"]}
        else:
            by_subject = {gate.group: {m: v for step in steps if step["group"] == gate.group for m, v in step["metrics"].items()}}
        found += [{"group": gate.group, "text": check.sentence, "passed": check.holds} for check in check_gate(gate, by_subject)]
    return found


def _samples(store: Store, plan: Plan, view: RunView) -> list[dict[str, Any]]:
    """Per group and evaluator that has answers: rows with each subject's answer side by side."""
    tables: dict[tuple[str, str], dict[str, Any]] = {}
    for step in plan.steps:
        row = view.steps[step.name].row if step.name in view.steps else None
        if row is None or not row.artifact or step.format != "report/metrics":
            continue
        evaluator = next((c.record.name for c in step.choices.values() if c.record.kind == "evaluator"), step.verb.name)
        found = [
            sample for sample in _read_samples(store, row.artifact) if "answer" in sample and {"right", "score", "expected"} & set(sample)
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


def _read_samples(store: Store, digest: str) -> Iterator[dict[str, Any]]:
    try:
        with open(store.path(digest) / "files" / "samples.jsonl", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, ValueError):
        return


def _curves(plan: Plan, view: RunView) -> list[dict[str, Any]]:
    found = []
    for step in plan.steps:
        series = view.series(step.name) if step.name in view.steps else {}
        found += [
            {"step": step.name, "name": name, "points": [[at, value if value == value else None] for at, value in points]}
            for name, points in series.items()
        ]  # fmt: skip
    return found


def _environment(plan: Plan) -> dict[str, Any]:
    plugins = {}
    for step in plan.steps:
        for record in (step.verb, *(choice.record for choice in step.choices.values())):
            plugins[record.distribution] = record.version
    return {
        "tunesmith": __version__, "python": platform.python_version(), "platform": platform.platform(), "machine": platform.machine(),
        "plugins": dict(sorted(plugins.items())), "devices": sorted({step.placement.device for step in plan.steps}),
        "implementation": sys.implementation.name,
    }  # fmt: skip
