"""A base in 4 bits, by bitsandbytes: loaded so that it can be trained on, and turned back into plain weights."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import bitsandbytes
import torch
import transformers
from transformers.pytorch_utils import Conv1D

from tunesmith.contracts import UserError
from tunesmith_torch.api.layers import replace
from tunesmith_torch.api.model import load_model


def load(directory: Path, device: torch.device, *, type: str, double_quant: bool) -> Any:
    """The model in `directory` with the layers' matrices in 4 bits, in evaluation mode, frozen.

    Raises:
        UserError: as `load_model` does, and TS-TRAIN-040 when it is kept in few bits in another way.
    """
    kept = stored(directory)
    if kept is None:
        settings = transformers.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=type, bnb_4bit_use_double_quant=double_quant)
        model = load_model(directory, device, quantization=settings)
    elif kept.get("quant_method") == "bitsandbytes" and kept.get("load_in_4bit"):
        model = load_model(directory, device)
    else:
        raise UserError(
            "TS-TRAIN-040", f"The base {directory.name} is quantized in a way that can't be trained on",
            why=f"Its quantization is {kept.get('quant_method')!r}" + (" in 8 bits." if kept.get("load_in_8bit") else "."),
            fix="Give the model before it was quantized, or one that bitsandbytes stored in 4 bits.",
        )  # fmt: skip
    for layer in quantized(model).values():
        _trainable_on(layer)
        layer.register_forward_pre_hook(_alike)
    return model


def converted(layer: torch.nn.Module, *, type: str, double_quant: bool) -> torch.nn.Module:
    """A linear layer with its matrix in 4 bits, where the layer's lies."""
    made = Linear4bit.__new__(Linear4bit)
    torch.nn.Module.__init__(made)
    made.in_features, made.out_features, made.bias = layer.in_features, layer.out_features, layer.bias
    made.source_cls, made.quant_state, made.quant_storage = torch.nn.Linear, None, torch.uint8
    values = bitsandbytes.nn.Params4bit(layer.weight.data, False, compress_statistics=double_quant, quant_type=type)
    made.weight = values.to(layer.weight.device)
    _trainable_on(made)
    return made.train(layer.training)


class Linear4bit(bitsandbytes.nn.Linear4bit):
    """bitsandbytes' layer, of which the engine's decoder may ask the matrix."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _alike(self, (x,))
        return super().forward(x)

    def matrix(self, dtype: torch.dtype) -> torch.Tensor:
        """(out, in), dequantized."""
        self.weight.quant_state.dtype = dtype  # of what comes out
        return bitsandbytes.functional.dequantize_4bit(self.weight.data, self.weight.quant_state)


def _trainable_on(layer: Any) -> None:
    # On processors with AVX512-BF16 the first forward pass in evaluation mode would repack the weights, and from then on no gradient
    # would flow through them (bitsandbytes 0.50).
    layer.support_avx512bf16_for_cpu = False
    layer.compute_dtype, layer.compute_type_is_set = None, True  # in the type that comes in, whichever came first


def _alike(layer: Any, given: tuple[torch.Tensor, ...]) -> None:
    """The backward pass is to read the weights in the type that the forward pass does, not in the one they once had."""
    layer.weight.quant_state.dtype = given[0].dtype


def stored(directory: Path) -> dict[str, Any] | None:
    """What the model's files say of their quantization; None for full weights."""
    config = directory / "config.json"
    return json.loads(config.read_text(encoding="utf-8")).get("quantization_config") if config.exists() else None


def quantized(model: torch.nn.Module) -> dict[str, Any]:
    """The layers in 4 bits, by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, bitsandbytes.nn.Linear4bit)}


def dequantized(layer: Any) -> torch.Tensor:
    """(out, in) float32: the weights that a layer in 4 bits computes with."""
    state = copy.copy(layer.weight.quant_state)
    state.dtype = torch.float32
    return bitsandbytes.functional.dequantize_4bit(layer.weight.data, state)


def plain(model: Any) -> Any:
    """`model` with every layer in 4 bits as an ordinary one of the same values, in float32, and no word of bitsandbytes in its config."""
    for name, layer in quantized(model).items():
        replace(model, name, linear(dequantized(layer), layer))
    model.hf_quantizer.remove_quantization_config(model)
    return model


def linear(weight: torch.Tensor, quantized: Any) -> Any:
    """A layer of the kind that `quantized` was before, with `weight` (out, in) and its bias."""
    outputs, inputs = weight.shape
    if issubclass(quantized.source_cls, Conv1D):
        layer, weight = Conv1D(outputs, inputs), weight.t().contiguous()
    else:
        layer = torch.nn.Linear(inputs, outputs, bias=quantized.bias is not None, device="meta")
    layer.weight = torch.nn.Parameter(weight, requires_grad=False)
    if quantized.bias is not None:
        layer.bias = torch.nn.Parameter(quantized.bias, requires_grad=False)
    return layer
