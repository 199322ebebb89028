"""Rounding weights in groups, as quantizers do: the weights that a quantized format gives back when it is unpacked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from .case import copy
from .model_files import edited_tensors

GROUP = 16


@dataclass(frozen=True)
class Quantized:
    """Args:
    codes: int64 (rows, groups, GROUP), from 0 to 2^bits - 1.
    scales, zeros: (rows, groups, 1); a weight is ``(code - zero) * scale``.
    """

    codes: torch.Tensor
    scales: torch.Tensor
    zeros: torch.Tensor

    def weight(self, shape: torch.Size) -> torch.Tensor:
        return ((self.codes - self.zeros) * self.scales).reshape(shape)


def quantized(weight: torch.Tensor, bits: int) -> Quantized:
    groups = weight.reshape(len(weight), -1, GROUP)
    low, high = groups.amin(-1, keepdim=True), groups.amax(-1, keepdim=True)
    scales = (high - low) / (2**bits - 1)
    zeros = (-low / scales).round()
    return Quantized((groups / scales + zeros).round().clamp(0, 2**bits - 1).long(), scales, zeros)


Wrong = Callable[[str, Quantized], Quantized]


def quantize(parent: Path, child: Path, bits: int, wrong: Wrong = lambda _, q: q) -> None:
    """Every projection rounded to `bits`; `wrong`: what becomes of one on its way, by its name."""
    with edited_tensors(copy(parent, child)) as tensors:
        for name, tensor in tensors.items():
            if "proj" in name or ".experts." in name:
                tensors[name] = wrong(name, quantized(tensor, bits)).weight(tensor.shape)


def with_scales(one: Quantized, scales: torch.Tensor) -> Quantized:
    return replace(one, scales=scales)
