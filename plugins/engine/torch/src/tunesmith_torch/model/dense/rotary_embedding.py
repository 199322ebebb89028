"""Cosines and sines of rotary position embeddings."""

from __future__ import annotations

import math

import torch

from tunesmith_torch.model.dense.config import Rotary

Angles = tuple[torch.Tensor, torch.Tensor]


def angles(rotary: Rotary, positions: torch.Tensor, dtype: torch.dtype) -> Angles:
    """Cosines and sines (tokens, size / 2) of each position, computed in float32 and rounded to `dtype`."""
    frequencies = inverse_frequencies(rotary).to(positions.device)
    turned = positions[:, None].float() * frequencies
    return turned.cos().to(dtype), turned.sin().to(dtype)


def inverse_frequencies(rotary: Rotary) -> torch.Tensor:
    """(size / 2,) float32; scaled as Llama 3.1 does (``llama3``) or all alike (``linear``)."""
    plain = 1.0 / (rotary.theta ** (torch.arange(0, rotary.size, 2, dtype=torch.float) / rotary.size))
    scaling = dict(rotary.scaling)
    if not scaling:
        return plain
    factor = float(scaling["factor"])
    if scaling["rope_type"] == "linear":
        return plain / factor
    low, high = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"])
    trained = float(scaling["original_max_position_embeddings"])
    length = 2 * math.pi / plain
    smooth = (trained / length - low) / (high - low)
    between = (1 - smooth) * plain / factor + smooth * plain
    scaled = torch.where(length > trained / low, plain / factor, plain)
    middle = (length >= trained / high) & (length <= trained / low)
    return torch.where(middle, between, scaled)
