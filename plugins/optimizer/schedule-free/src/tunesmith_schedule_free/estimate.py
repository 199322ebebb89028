"""Bytes that `schedule-free` keeps for each parameter that trains, and what it does not go together with."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest, UserError

GOES_WITH = ("auto", "constant")


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """The newest step and a mean square in float32.

    Raises:
        UserError: TS-TRAIN-050 for a schedule in which the rate falls.
    """
    schedule = str(request.step_settings.get("lr_scheduler_type", "auto"))
    if schedule not in GOES_WITH:
        raise UserError(
            "TS-TRAIN-050", f"`lr_scheduler_type: {schedule}` does not go with the optimizer `schedule-free`",
            why="It averages its steps, which does what a falling rate does; with both, the later steps would count for next to nothing.",
            fix="Leave `lr_scheduler_type` out, set it to `constant`, or take another optimizer.",
        )  # fmt: skip
    return {"state": 8.0}
