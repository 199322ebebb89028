"""The verb ``quantize``."""

from __future__ import annotations

from tunesmith.contracts import Result, Step
from tunesmith.verbs.models import with_config


def run(step: Step) -> Result:
    """Have the quantizer write the model in fewer bits, calibrated on the rows of ``data`` if there are any."""
    result = step.provider("quantizer").quantize(step.inputs["model"], step.output, step.inputs.get("data"), step)
    return with_config(result, step.output)
