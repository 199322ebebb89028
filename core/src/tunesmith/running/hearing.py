"""What a worker reports, taken down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.planning.plan import PlannedStep
from tunesmith.running.context import Context

_LEVELS = ("debug", "info", "warning", "error")


def hear(context: Context, step: PlannedStep, key: str, method: str, params: Mapping[str, Any]) -> None:
    """One notification of a step; of kinds that this version does not know, none."""
    if method == "$/progress":
        context.reporter.progress(step.name, params["what"], params["done"], params["total"], params["unit"])
    elif method == "$/log":
        level = params["level"] if params["level"] in _LEVELS else "info"
        context.log(step.name, level, str(params["message"]))
    elif method == "$/metric":
        context.journal.metric(key, params["name"], params["at"], params["value"])
        context.reporter.metric(step.name, params["name"], params["value"], params["at"])
    elif method == "$/decision":
        context.decide(step.name, params["what"], params["reason"])
