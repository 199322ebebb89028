"""The verb ``quantize``."""

from __future__ import annotations

from tunesmith.contracts import Result, Step, read_rows
from tunesmith.verbs.models import with_config


def run(step: Step) -> Result:
    """Have the quantizer write the model in fewer bits, calibrated on the rows of ``data`` if there are any."""
    data = step.inputs.get("data")
    calibration = read_rows(data.path) if data else None
    result = step.provider("quantizer").quantize(step.inputs["model"], step.output, calibration, step)
    return with_config(result, step.output)
