"""Matrices in fewer bits as the plain ones that they stand for, where that is cheap: of bitsandbytes, GPTQ, AWQ, compressed-tensors,
MLX.

Sources: bitsandbytes' `functional.dequantize_4bit` and `Linear8bitLt`; the layout of AutoGPTQ's `QuantLinear`, versions 1 and 2; AutoAWQ's
`WQLinear_GEMM`; compressed-tensors' `pack_to_int32`; MLX's `mx.quantize`.
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
    if "weight_packed" in parts and "weight_scale" in parts:
        return _packed_rows(parts, shape)
    if {"weight", "scales", "biases"} <= parts.keys():
        return _affine(parts, shape)
    if {"qweight", "qzeros", "scales"} <= parts.keys() and config.get("quant_method") == "awq":
        return _awq(parts) if int(config.get("bits", 4)) == 4 and str(config.get("version", "gemm")).lower() == "gemm" else None
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


_AWQ_ORDER = np.array((0, 4, 1, 5, 2, 6, 3, 7))  # where AutoAWQ keeps the columns of a word of eight


def _awq(parts: Parts) -> np.ndarray:
    codes, zeros = (_unpacked(parts[name].array(), 4, 1).astype(np.float32) for name in ("qweight", "qzeros"))
    codes, zeros = (one.reshape(len(one), -1, 8)[:, :, _AWQ_ORDER].reshape(one.shape) for one in (codes, zeros))
    scales = parts["scales"].array()
    group = len(codes) // len(scales)
    return ((codes - np.repeat(zeros, group, axis=0)) * np.repeat(scales, group, axis=0)).T


def _packed_rows(parts: Parts, shape: tuple[int, ...]) -> np.ndarray | None:
    """4 or 8 bits side by side in a row's words, a scale and, unless symmetric, a zero a group, in the order of the columns."""
    scales, columns = parts["weight_scale"].array(), shape[-1]
    words = parts["weight_packed"].array()
    bits = 32 * words.shape[-1] // columns
    if bits not in (4, 8) or len(shape) != 2 or columns * bits % 32 or "weight_g_idx" in parts:
        return None
    codes = _unpacked(words, bits, 1).astype(np.float32)
    group = columns // scales.shape[-1]
    zeros = 2 ** (bits - 1)
    if "weight_zero_point" in parts:
        packed = parts["weight_zero_point"].array()
        zeros = np.repeat(_unpacked(packed, bits, 0)[: len(codes)].astype(np.float32), group, axis=1)
    return (codes - zeros) * np.repeat(scales, group, axis=1)


def _affine(parts: Parts, shape: tuple[int, ...]) -> np.ndarray | None:
    """MLX's: codes side by side in a row's words, the first in the lowest bits; of each group a scale and an offset."""
    words, scales, columns = parts["weight"].array(), parts["scales"].array(), shape[-1]
    bits = 32 * words.shape[-1] // columns
    if bits not in (2, 4, 8) or len(shape) != 2 or columns * bits % 32:
        return None
    codes = _unpacked(words, bits, 1).astype(np.float32)
    group = columns // scales.shape[-1]
    return codes * np.repeat(scales, group, axis=1) + np.repeat(parts["biases"].array(), group, axis=1)
