"""How much `oft` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape
from tunesmith_peft.api import divides, of_method


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "modules_only": 1}``; empty where the sizes are unknown.

    Raises:
        UserError: TS-TRAIN-033 when the block size does not divide the inputs of a layer.
    """
    shape = ModelShape.of(request)
    settings = request.settings
    divides(shape, settings["target_modules"], settings["oft_block_size"], "oft_block_size")
    options = {
        "oft_block_size": settings["oft_block_size"],
        "block_share": settings["block_share"],
        "target_modules": settings["target_modules"],
    }
    return of_method("oft", options, shape)
