"""How much `boft` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_models import ModelShape
from tunesmith_peft.api import divides, of_method


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "modules_only": 1}``; empty where the sizes are unknown.

    Raises:
        UserError: TS-TRAIN-033 when the block size does not divide the inputs of a layer; TS-TRAIN-037 for factors that the device can't
            compute.
    """
    shape = ModelShape.of(request)
    settings = request.settings
    divides(shape, settings["target_modules"], settings["boft_block_size"], "boft_block_size")
    if settings["boft_n_butterfly_factor"] > 1 and request.device != "cuda":
        raise UserError(
            "TS-TRAIN-037", f"`boft_n_butterfly_factor: {settings['boft_n_butterfly_factor']}` can't be computed on `{request.device}`",
            why="PEFT computes more than one butterfly factor by a CUDA kernel only.",
            fix="Use `boft_n_butterfly_factor: 1` with larger blocks, which turns the inputs as freely.",
        )  # fmt: skip
    options = {
        "boft_block_size": settings["boft_block_size"], "boft_n_butterfly_factor": settings["boft_n_butterfly_factor"],
        "target_modules": settings["target_modules"],
    }  # fmt: skip
    return of_method("boft", options, shape)
