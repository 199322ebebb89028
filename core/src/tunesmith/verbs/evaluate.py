"""The verb ``evaluate``: numbers, and the rows behind them."""

from __future__ import annotations

import json

from tunesmith.contracts import Result, Step

METRICS_FILE, SAMPLES_FILE = "metrics.json", "samples.jsonl"


def run(step: Step) -> Result:
    """Have the evaluator judge the model or endpoint; its metrics become the step's, its samples lie beside them."""
    evaluation = step.provider("evaluator").evaluate(step.inputs["model"], step.inputs.get("data"), step)
    metrics = {name: float(value) for name, value in evaluation.metrics.items()}
    (step.output / METRICS_FILE).write_text(json.dumps(metrics, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    with open(step.output / SAMPLES_FILE, "w", encoding="utf-8") as lines:
        for sample in evaluation.samples:
            lines.write(json.dumps(sample, ensure_ascii=False) + "\n")
    return Result(metrics=metrics, meta={"samples": len(evaluation.samples)})
