"""Memory and disk of a conversion, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_gguf.mixtures import BITS, type_of
from tunesmith_models import ModelShape
from tunesmith_quantization import by_size

BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32}  # a weight; q8_0: 32 of a byte each share a scale of two
LIBRARIES = 430e6  # resident after importing torch, transformers and the converter
ENTRY = 1000.0  # a token of the vocabulary with its merge, as objects
METADATA = 36.0  # bytes a token in the file


def estimate(request: EstimateRequest) -> Estimate:
    """It converts tensor by tensor: the largest one in float32, the vocabulary, the libraries."""
    shape, each = ModelShape.of(request), BYTES[request.settings["outtype"]]
    if shape is None:
        note = "the model's sizes are unknown; guessed from its files"
        return Estimate({"libraries": LIBRARIES, "tensor": request.input_bytes / 4}, disk=request.input_bytes * each / 2, notes=(note,))
    largest = max(shape.vocabulary * shape.hidden, *(linear.inputs * linear.outputs for linear in shape.linears))
    disk = (shape.parameters - shape.others) * each + shape.others * 4.0 + shape.vocabulary * METADATA
    return Estimate({"libraries": LIBRARIES, "tensor": largest * 4.0, "vocabulary": shape.vocabulary * ENTRY}, disk=disk)


def estimate_quantized(request: EstimateRequest) -> Estimate:
    """It converts, then rounds tensor by tensor; with rows the model runs in float32 before."""
    settings, shape = request.settings, ModelShape.of(request)
    converted = estimate(replace(request, settings={"outtype": "bf16"}))
    if shape is None:
        return converted
    bits = _bits(shape, settings["quant_type"])
    head = shape.vocabulary * shape.hidden * (1 if shape.tied else 2)
    disk = (
        shape.matrices * bits / 8 + head * _head_bits(shape, settings["quant_type"]) / 8 + shape.others * 4.0 + shape.vocabulary * METADATA
    )
    terms = dict(converted.terms)
    if "data" in request.inputs or request.data:
        terms["importance"] = shape.parameters * 4.0
    return replace(converted, terms=terms, disk=disk)


def _bits(shape: ModelShape, mixture: str) -> float:
    """Of a weight of the layers' matrices, on average, scales counted."""
    named = {"v_proj": "attn_v", "o_proj": "attn_output", "down_proj": "ffn_down"}
    found = 0.0
    for one in shape.linears:
        types = [
            type_of(mixture, f"blk.{layer}.{named.get(one.name, 'other')}.weight", one.inputs, shape.layers, tied=False)
            for layer in range(shape.layers)
        ]
        found += one.parameters * sum(BITS[type] for type in types) / len(types)
    return found / max(shape.matrices, 1)


def _head_bits(shape: ModelShape, mixture: str) -> float:
    names = ("token_embd.weight",) if shape.tied else ("token_embd.weight", "output.weight")
    return sum(BITS[type_of(mixture, name, shape.hidden, shape.layers, tied=shape.tied)] for name in names) / len(names)


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """For `quantize: auto`."""
    return by_size(request, small={"quant_type": "q8_0"})
