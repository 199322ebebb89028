"""Memory and disk of `combine`, from the model's sizes alone; whether settings and models go together. Standard library and contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, UserError
from tunesmith_combine.layer_slices import COUNT, Layer, check_config, stack
from tunesmith_models import ModelShape

RUNTIME = 700e6  # Python, torch, PEFT and what that imports
LARGEST = 1e9  # bytes of a file of `passthrough`
MODELS = 4  # the usual most: each of them holds one matrix at a time, like the base and the result


def combine(request: EstimateRequest) -> Estimate | None:
    """One file of the result, and the largest matrix in float32 for each model; None where the sizes are unknown.

    Raises:
        UserError: as `check_weights`.
    """
    settings, shape = request.step_settings or request.settings, ModelShape.of(request)
    layers: list[Layer] = []
    if count := sum(name.partition(".")[0] == "tuned" for name in request.inputs):
        check_weights(settings, count)
        if settings["merge_method"] == "passthrough":
            check_config(request.config or {COUNT: 1})
            layers = stack(settings["slices"], count + 1, shape.layers if shape else 0)
    if shape is None:
        return None
    size = float(request.input_bytes or shape.parameters * 2)
    if layers:
        size *= 1 + (len(layers) / shape.layers - 1) * shape.matrices / shape.parameters
        return Estimate({"runtime": RUNTIME, "file": min(size, LARGEST)}, disk=size)
    largest = max(shape.vocabulary * shape.hidden, *(linear.inputs * linear.outputs for linear in shape.linears)) * 4.0
    return Estimate({"runtime": RUNTIME, "result": size, "matrices": (2 * MODELS + 2) * largest}, disk=size)


def check_weights(settings: Mapping[str, Any], count: int) -> list[float]:
    """The models' weights, as they were given.

    Raises:
        UserError: TS-TRAIN-070 for weights that are not one for each model; TS-TRAIN-078 for a method that takes other models, or no
            weights.
    """
    method, weights = settings["merge_method"], list(settings["weights"])
    if method == "passthrough" and weights:
        raise UserError(
            "TS-TRAIN-078", "`weights` has no effect with `merge_method: passthrough`",
            why="Layers are taken as they are.", fix="Leave `weights` out, or take another method.",
        )  # fmt: skip
    if method != "passthrough" and settings.get("slices"):
        raise UserError(
            "TS-TRAIN-078", f"`slices` has no effect with `merge_method: {method}`",
            fix="Leave `slices` out, or write `merge_method: passthrough`.",
        )  # fmt: skip
    if weights and len(weights) != count:
        raise UserError(
            "TS-TRAIN-070", f"There are {len(weights)} weights for {count} models", fix="Give `weights` one number for each, or none."
        )  # fmt: skip
    if method == "slerp" and count != 2:
        raise UserError(
            "TS-TRAIN-078", f"`merge_method: slerp` is for two models, and there are {count}", fix="Take another method, or two models."
        )  # fmt: skip
    if method == "slerp" and weights and sum(weights) <= 0:
        raise UserError(
            "TS-TRAIN-078", "`merge_method: slerp` takes a share of two weights, and theirs add up to nothing", fix="Give positive numbers."
        )  # fmt: skip
    if method == "model-stock" and count < 2:
        raise UserError(
            "TS-TRAIN-078", "`merge_method: model-stock` compares models, and there is one", fix="Take another method, or more models."
        )  # fmt: skip
    if method == "model-stock" and weights:
        raise UserError(
            "TS-TRAIN-078", "`weights` has no effect with `merge_method: model-stock`",
            why="What each counts follows from the angles between the models.", fix="Leave `weights` out, or take another method.",
        )  # fmt: skip
    return weights
