"""How much `adalora` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_adalora.settings import check
from tunesmith_models import ModelShape
from tunesmith_peft.api import adapted


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "modules_only": 1}``; empty where the sizes are unknown.

    Raises:
        UserError: TS-TRAIN-037 when no rank can be taken away, or there is no time for it.
    """
    shape = ModelShape.of(request)
    settings = request.settings
    check(settings)
    if shape is None:
        return {}
    targets = adapted(shape, settings["target_modules"])
    trainable = sum(one.count * settings["init_r"] * (one.inputs + one.outputs + 1) for one in targets)
    return {"trainable": float(trainable), "modules_only": 1.0}
