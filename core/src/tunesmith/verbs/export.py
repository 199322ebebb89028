"""The verb ``export``."""

from __future__ import annotations

from tunesmith.contracts import Result, Step
from tunesmith.verbs.models import with_config


def run(step: Step) -> Result:
    """Have the exporter write its input in another format."""
    return with_config(step.provider("exporter").export(step.inputs["model"], step.output, step), step.output)
