"""How much `qlora` trains and how large its base is, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_lora.api import parts as lora_parts
from tunesmith_models import ModelShape

BLOCK = 64  # weights that share a scale
NESTED = 256  # scales that share a scale of their own


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "quantized": parameters kept in few bits, "quantized_bytes": what they take}``; empty where the sizes
    are unknown."""
    shape = ModelShape.of(request)
    if shape is None:
        return {}
    quantized = sum(linear.parameters for linear in shape.modules)  # bitsandbytes passes over experts that share a tensor
    bits = 4 + (8 / BLOCK + 32 / BLOCK / NESTED if request.settings["bnb_4bit_use_double_quant"] else 32 / BLOCK)
    own = {"quantized": float(quantized), "quantized_bytes": quantized * bits / 8}
    return {**lora_parts(request), **own}
