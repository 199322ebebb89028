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
from tunesmith.running.journal import Journal, StepRow
from tunesmith.running.store import Store

SAMPLES = 12  # rows per evaluator


def report_facts(journal: Journal, store: Store, plan: Plan, run: str) -> dict[str, Any]:
    """The report of a run as JSON: what ran, what came of it, and why it was done so."""
    row = journal.run(run)
    rows = {step.step: step for step in journal.steps(run)}
    steps = [_step(journal, store, step, rows[step.name]) for step in plan.steps if step.name in rows]
    scores = _scores(plan, steps)
    return {
        "run": run, "pipeline": plan.name, "state": row.state if row else "", "error": row.error if row else None,
        "started": row.started if row else None, "finished": row.finished if row else None,
        "steps": steps, "scores": scores, "gates": _gates(plan, scores), "samples": _samples(store, plan, rows),
        "curves": _curves(journal, plan, rows), "warnings": list(plan.warnings),
        "decisions": [{"step": step, "what": what, "reason": reason} for step, what, reason in journal.decisions(run)],
        "environment": _environment(plan), "source": plan.text,
    }  # fmt: skip


def _step(journal: Journal, store: Store, step: PlannedStep, row: StepRow) -> dict[str, Any]:
    known = journal.cached(row.key) if row.key else None
    seconds = known.seconds if known and row.cached else None
    if row.attempt and not row.cached and row.finished and row.started:
        seconds = row.finished - row.started
    return {
        "name": step.name, "group": step.group, "verb": step.verb.name, "source": step.source, "inserted": step.inserted,
        "service": step.verb.service,
        "state": row.state, "cached": row.cached, "attempts": row.attempt, "seconds": seconds, "key": row.key,
        "artifact": row.artifact, "format": step.format, "size": store.size(row.artifact) if row.artifact else None,
        "metrics": dict(known.metrics) if known and row.artifact else {}, "error": row.error,
        "providers": {
            slot: {"name": choice.record.name, "settings": dict(choice.settings)} for slot, choice in step.told.items()
        },
        "settings": known.producer.get("step", {}) if known and row.artifact else dict(step.settings),
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


def _gates(plan: Plan, scores: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for gate in plan.gates:
        table = next((table for table in scores if table["group"] == gate.group), None)
        if table is None:
            continue
        by_subject = {s: {m: row[s] for m, row in table["metrics"].items() if s in row} for s in table["subjects"]}
        found += [{"group": gate.group, "text": check.sentence, "passed": check.holds} for check in check_gate(gate, by_subject)]
    return found


def _samples(store: Store, plan: Plan, rows: dict[str, StepRow]) -> list[dict[str, Any]]:
    """Per group and evaluator that has answers: rows with each subject's answer side by side."""
    tables: dict[tuple[str, str], dict[str, Any]] = {}
    for step in plan.steps:
        row = rows.get(step.name)
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


def _curves(journal: Journal, plan: Plan, rows: dict[str, StepRow]) -> list[dict[str, Any]]:
    found = []
    for step in plan.steps:
        row = rows.get(step.name)
        series = journal.series(row.key) if row and row.key else {}
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
