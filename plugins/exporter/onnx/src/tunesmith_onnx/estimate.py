"""Memory and disk of a conversion to ONNX, and whether the model's layers can be said so. Standard library and contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, UserError
from tunesmith_models import ModelShape

LIBRARIES = 650e6  # resident after importing torch, transformers and onnxscript
GRAPH = 1.5e6  # of a layer while it is traced
KEPT = frozenset({"full_attention", "sliding_attention", "chunked_attention"})  # layers that keep keys and values of tokens


def estimate(request: EstimateRequest) -> Estimate:
    """The model in float32 and as much again while it is written.

    Raises:
        UserError: as `check_layers`.
    """
    check_layers(request.config)
    shape = ModelShape.of(request)
    if shape is None:
        note = "the model's sizes are unknown; guessed from its files"
        return Estimate({"libraries": LIBRARIES, "weights": request.input_bytes * 4}, disk=request.input_bytes * 2, notes=(note,))
    weights = shape.parameters * 4.0
    return Estimate({"libraries": LIBRARIES, "weights": weights, "written": weights, "graph": shape.layers * GRAPH}, disk=weights)


def check_layers(config: Mapping[str, Any]) -> None:
    """
    Raises:
        UserError: TS-EXPORT-005 for a model of which layers keep something else than keys and values of tokens, or that has an encoder.
    """
    odd = sorted({str(kind) for kind in config.get("layer_types") or ()} - KEPT)
    what = f"layers of `{odd[0]}`" if odd else "an encoder" if config.get("is_encoder_decoder") else ""
    if what:
        raise UserError(
            "TS-EXPORT-005", f"The model has {what}, which are not written as ONNX here",
            why="What such a model keeps of the tokens before is no list of keys and values, by which runtimes of ONNX go on.",
            fix="Export it with `gguf` or `mlx`, whose runtimes know more architectures.",
        )  # fmt: skip
