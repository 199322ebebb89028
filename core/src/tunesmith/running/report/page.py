"""The report as one HTML page: no script, nothing from elsewhere, readable in light and dark, on paper and on a telephone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.running.report import course, results, surroundings
from tunesmith.running.report.style import CSS
from tunesmith.running.report.text import text


def page_of(facts: Mapping[str, Any]) -> str:
    """The page for what `report_facts` gave."""
    parts = (
        course.header, results.scores, results.curves, results.samples, results.sizes, course.steps, surroundings.table, course.decisions,
        course.environment, course.source,
    )  # fmt: skip
    body = "\n".join(part(facts) for part in parts)
    title = f"{facts['pipeline']} · {facts['run']}"
    foot = f"Made by Tunesmith {text(facts['environment']['tunesmith'])}. The same as data: report.json."
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{text(title)}</title><style>{CSS}</style></head>\n"
        f"<body><main>\n{body}\n<footer>{foot}</footer></main></body></html>\n"
    )
