"""Memory and disk of quantizing, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_bitsandbytes.experts import check_experts
from tunesmith_bitsandbytes.state_spaces import check_state_spaces
from tunesmith_models import ModelShape
from tunesmith_models.dtypes import BYTES
from tunesmith_quantization import by_size

LIBRARIES = 0.4 * 2**30  # resident size of Python with torch, transformers and bitsandbytes; docs/estimates.md holds it against runs
BLOCK = 64  # weights that share a scale
NESTED = 256  # scales that share a scale of their own


def estimate(request: EstimateRequest) -> Estimate:
    """The source's pages as they are read, the copies in another dtype made from them, the quantized model, the libraries.

    Raises:
        UserError: TS-QUANT-007: the model has experts, which would not be quantized; TS-QUANT-010: its code reads a matrix itself.
    """
    check_state_spaces(request.config, request.settings["llm_int8_skip_modules"])
    shape = ModelShape.of(request)
    check_experts(shape, request.settings["llm_int8_skip_modules"])
    if shape is None:
        return Estimate({"source": float(request.input_bytes), "libraries": LIBRARIES}, notes=("the model's sizes are unknown",))
    quantized = size(shape, request.settings)
    plain = shape.parameters * BYTES[request.settings["dtype"]]
    source = float(request.input_bytes) or plain
    terms = {"source": source, "quantized model": quantized, "libraries": LIBRARIES}
    if abs(source - plain) > 0.25 * plain:
        terms["copies"] = plain
    return Estimate(terms, disk=quantized)


def size(shape: ModelShape, settings: Mapping[str, Any]) -> float:
    """Bytes of the quantized model: matrices of the layers in few bits with their scales, the rest in `dtype`."""
    skipped = tuple(settings["llm_int8_skip_modules"])
    few = sum(one.parameters for one in shape.linears if not one.expert and not one.name.endswith(skipped or ("\0",)))
    rest = shape.parameters - few
    if settings["quant_type"] == "int8":
        bits = 8 + 32 / shape.hidden  # one scale a row
    elif settings["bnb_4bit_use_double_quant"]:
        bits = 4 + 8 / BLOCK + 32 / BLOCK / NESTED
    else:
        bits = 4 + 32 / BLOCK
    return few * bits / 8 + rest * BYTES[settings["dtype"]]


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """For `quantize: auto`: a base to train adapters on is nf4 at any size."""
    return [{}] if request.step_settings.get("use") == "training" else by_size(request, small={"quant_type": "int8"})
