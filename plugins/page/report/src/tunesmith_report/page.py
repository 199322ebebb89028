"""The report as one HTML page: no script, nothing from elsewhere, readable in light and dark, on paper and on a telephone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_report import environments, findings, header, results, rollouts, steps
from tunesmith_report.number_format import text
from tunesmith_report.style import CSS


def page_of(facts: Mapping[str, Any]) -> str:
    """The page for what `report_data` gave."""
    parts = (
        header.header, findings.findings, results.scores, results.curves, results.completions, rollouts.table, results.samples,
        results.sizes, steps.steps, environments.table, steps.decisions, environments.machine, source,
    )  # fmt: skip
    body = "\n".join(part(facts) for part in parts)
    title = f"{facts['pipeline']} · {facts['run']}"
    foot = f"Made by Tunesmith {text(facts['environment']['tunesmith'])}. The same as data: report.json."
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{text(title)}</title><style>{CSS}</style></head>\n"
        f"<body><main>\n{body}\n<footer>{foot}</footer></main></body></html>\n"
    )


def source(facts: Mapping[str, Any]) -> str:
    return f"<h2>Pipeline</h2><pre>{text(facts['source'].rstrip())}</pre>" if facts["source"].strip() else ""
