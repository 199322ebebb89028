"""Memory and disk of a conversion, from the model's sizes alone."""

from __future__ import annotations

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_models import ModelShape

LIBRARIES = 480e6  # resident after importing torch, transformers, onnx and the builder
SCALE = 4  # bytes of a block's scale
ROUNDING = 1.4  # times the weights in float32, as was seen of SmolLM2-135M


def estimate(request: EstimateRequest) -> Estimate:
    """The builder has the model in float32, and beside it what it makes of it."""
    shape, dtype = ModelShape.of(request), request.settings["dtype"]
    if shape is None:
        note = "the model's sizes are unknown; guessed from its files"
        return Estimate({"libraries": LIBRARIES, "weights": request.input_bytes * 4}, disk=request.input_bytes * 2, notes=(note,))
    table = shape.vocabulary * shape.hidden
    matrices = shape.parameters - shape.others - (0 if shape.tied else table)
    each = {"float32": 4.0, "int8": 1 + SCALE / request.settings["group_size"], "int4": 0.5 + SCALE / request.settings["group_size"]}[dtype]
    # the head in few bits serves as the embedding where both are tied, of int4; of int8 the embedding is kept beside it
    beside = {"float32": 0.0 if shape.tied else 4.0, "int8": 4.0, "int4": 0.0 if shape.tied else 4.0}[dtype]
    rotary = float(request.config.get("max_position_embeddings", 0)) * shape.head_size * 4.0  # its sines and cosines are written
    disk = matrices * each + table * beside + shape.others * 4.0 + rotary
    rounding = {} if dtype == "float32" else {"rounding": shape.parameters * 4.0 * ROUNDING}
    return Estimate({"libraries": LIBRARIES, "weights": shape.parameters * 4.0, **rounding, "written": disk}, disk=disk)
