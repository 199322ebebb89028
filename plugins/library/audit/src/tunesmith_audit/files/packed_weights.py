"""Matrices in fewer bits as the plain ones that they stand for, where that is cheap: of bitsandbytes, GPTQ, compressed-tensors with 8 bits.

Sources: bitsandbytes' `functional.dequantize_4bit` and `Linear8bitLt`; the layout of AutoGPTQ's `QuantLinear`, versions 1 and 2.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tunesmith_audit.files.tensors import StoredTensor

Parts = Mapping[str, StoredTensor]  #: what a layer has beside its bias, by the rest of the name: ``weight``, ``weight.absmax``


def plain(parts: Parts, shape: tuple[int, ...], config: Mapping[str, Any]) -> np.ndarray | None:
    """float32 in the parent's shape (out, in); None for a layout that is not read here.

    Args:
        config: the child's ``quantization_config``.
    """
    if "SCB" in parts:
        return parts["weight"].array().astype(np.float32) * parts["SCB"].array()[:, None] / 127
    if {"weight", "weight_scale"} <= parts.keys():  # compressed-tensors' float8 and int8: a scale a row, or one for all
        scale = parts["weight_scale"].array()
        weight = parts["weight"].array().astype(np.float32)
        return weight * scale if scale.size == 1 or scale.shape == (len(weight), 1) else None
    states = [name for name in parts if name.startswith("weight.quant_state.bitsandbytes")]
    if states:
        return _blocks(parts, json.loads(bytes(parts[states[0]].stored().view(np.uint8)))).reshape(shape)
    if "qweight" in parts and "g_idx" in parts and config.get("quant_method") == "gptq" and int(config.get("bits", 4)) in (2, 4, 8):
        return _gptq(parts, int(config.get("bits", 4)), config.get("checkpoint_format") != "gptq_v2")
    return None


def _blocks(parts: Parts, state: Mapping[str, Any]) -> np.ndarray:
    packed = parts["weight"].stored().view(np.uint8).ravel()
    codes = np.stack([packed >> 4, packed & 15], axis=1).ravel()
    scales = parts["weight.absmax"].array().ravel()
    if "weight.nested_absmax" in parts:
        nested = parts["weight.nested_absmax"].array().ravel()
        scales = parts["weight.nested_quant_map"].array()[scales.astype(np.int64)]
        scales = scales * np.repeat(nested, state["nested_blocksize"])[: len(scales)] + state["nested_offset"]
    values = parts["weight.quant_map"].array()[codes]
    return values * np.repeat(scales, state["blocksize"])[: len(values)]


def _unpacked(words: np.ndarray, bits: int, axis: int) -> np.ndarray:
    shifts = np.arange(0, 32, bits, dtype=np.uint32)
    words = words.view(np.uint32)
    if axis == 0:
        return (words[:, None, :] >> shifts[None, :, None] & (2**bits - 1)).reshape(-1, words.shape[1])
    return (words[:, :, None] >> shifts & (2**bits - 1)).reshape(words.shape[0], -1)


def _gptq(parts: Parts, bits: int, first_version: bool) -> np.ndarray:
    codes = _unpacked(parts["qweight"].array(), bits, 0).astype(np.float32)
    scales = parts["scales"].array()
    zeros = _unpacked(parts["qzeros"].array(), bits, 1)[:, : scales.shape[1]].astype(np.float32) + first_version
    groups = parts["g_idx"].array().astype(np.int64)
    return ((codes - zeros[groups]) * scales[groups]).T
