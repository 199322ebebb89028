"""How much `adalora` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_peft.estimate import adapted


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters}``; empty where the sizes are unknown.

    Raises:
        UserError: TS-TRAIN-037 when no rank can be taken away, or there is no time for it.
    """
    settings = request.settings
    r, start = int(settings["r"]), int(settings["start_r"])
    if r >= start:
        raise UserError(
            "TS-TRAIN-037", f"`start_r: {start}` leaves nothing to take away before the average rank is `r: {r}`",
            fix=f"Set `start_r` above `r`: {r + (r + 1) // 2} is usual.",
        )  # fmt: skip
    if settings["warmup"] + settings["settle"] >= 1:
        raise UserError(
            "TS-TRAIN-037", f"`warmup: {settings['warmup']:g}` and `settle: {settings['settle']:g}` are all of the steps",
            why="Ranks are taken away between the two.", fix="Make their sum less than 1.",
        )  # fmt: skip
    if request.shape is None:
        return {}
    targets = adapted(request.shape, settings["targets"])
    return {"trainable": float(sum(one.count * start * (one.inputs + one.outputs + 1) for one in targets))}
