"""How much `dora` trains and keeps, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape
from tunesmith_peft.api import adapted, of_method


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "outputs": kept twice, the matrix's and the update's, "work": bytes, "modules_only": 1}``; empty without
    sizes.

    For the length of its rows PEFT makes, in each pass, the update as a whole, out of a unit matrix, and its sum with the matrix.
    """
    shape = ModelShape.of(request)
    settings = request.settings
    found = of_method("lora", {"r": settings["r"], "use_dora": True, "target_modules": settings["target_modules"]}, shape)
    if shape is None:
        return found
    wide = adapted(shape, settings["target_modules"])
    work = sum(one.count * (one.inputs**2 + 3 * one.inputs * one.outputs) for one in wide) / shape.layers
    return {**found, "outputs": 2.0, "work": 4.0 * work}
