"""Writes the report beside the run's logs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tunesmith.isolation.environments.environment import Environment
from tunesmith.planning.plan import Plan
from tunesmith.running.durable import write_atomically
from tunesmith.running.journal import Journal
from tunesmith.running.report.facts import report_facts
from tunesmith.running.report.page import page_of
from tunesmith.running.report.surroundings import environments
from tunesmith.running.store import Store


def write_report(journal: Journal, store: Store, plan: Plan, run: str, directory: Path, built: Iterable[Environment]) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.json`` from what journal and store know of the run; their paths.

    Args:
        built: the environments there are, for the table of what ran where.
    """
    facts = report_facts(journal, store, plan, run) | {"environments": environments(plan, built)}
    page, data = directory / "report.html", directory / "report.json"
    write_atomically(data, json.dumps(facts, indent=1, ensure_ascii=False))
    write_atomically(page, page_of(facts))
    return page, data
