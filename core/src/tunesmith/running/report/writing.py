"""Writes the report beside the run's logs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tunesmith.contracts.environment_builder import Environment
from tunesmith.planning.plan import Plan
from tunesmith.running.durable import write_atomically
from tunesmith.running.report.facts import report_facts
from tunesmith.running.report.page import page_of
from tunesmith.running.report.surroundings import environments
from tunesmith.running.run_view import RunView
from tunesmith.running.store import Store


def write_report(view: RunView, store: Store, plan: Plan, built: Iterable[Environment]) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.json`` into the run's directory, from what its home knows of it; their paths.

    Args:
        built: the environments there are, for the table of what ran where.
    """
    facts = report_facts(view, store, plan) | {"environments": environments(plan, built)}
    page, data = view.directory / "report.html", view.directory / "report.json"
    write_atomically(data, json.dumps(facts, indent=1, ensure_ascii=False))
    write_atomically(page, page_of(facts))
    return page, data
