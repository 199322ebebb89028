"""Faults of quantizers and of readers of quantized formats, seen in the weights that come back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .case import fault
from .model_files import read_tensors
from .quantization import Quantized, quantize, quantized, with_scales


@fault("llama", "outputs", "gate", bits=8)
def scales_transposed(parent: Path, child: Path) -> None:
    """Scales were read along the other axis."""
    quantize(parent, child, 8, lambda _, q: with_scales(q, q.scales.transpose(0, 1).reshape(q.scales.shape)))


@fault("llama", "outputs", "gate", bits=4)
def zero_point_off_by_one(parent: Path, child: Path) -> None:
    """Zero points are one too great, as between the two versions of GPTQ's format."""
    quantize(parent, child, 4, lambda _, q: replace(q, zeros=q.zeros + 1))


@fault("llama", "outputs", "gate", bits=8)
def scales_of_the_next_group(parent: Path, child: Path) -> None:
    """Scales belong to the group beside."""
    quantize(parent, child, 8, lambda _, q: with_scales(q, q.scales.roll(1, 1)))


@fault("llama", "outputs", "gate", bits=8)
def scales_of_a_neighbour_layer(parent: Path, child: Path) -> None:
    """Each layer has the scales of the other one."""
    tensors = read_tensors(parent)
    other = {"0": "1", "1": "0"}

    def swapped(name: str, q: Quantized) -> Quantized:
        words = name.split(".")
        words[2] = other[words[2]]
        return with_scales(q, quantized(tensors[".".join(words)], 8).scales)

    quantize(parent, child, 8, swapped)


@fault("llama", "outputs", "gate", bits=4)
def halves_of_bytes_swapped(parent: Path, child: Path) -> None:
    """Of two codes in a byte the second was read first."""
    quantize(parent, child, 4, lambda _, q: replace(q, codes=q.codes.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)))


@fault("llama", "outputs", "gate", bits=8)
def codes_wrapped(parent: Path, child: Path) -> None:
    """Codes of 128 and more were read as negative."""
    quantize(parent, child, 8, lambda _, q: replace(q, codes=(q.codes + 128) % 256 - 128))


@fault("llama", "outputs", "gate", bits=4)
def order_of_activations_lost(parent: Path, child: Path) -> None:
    """Columns were quantized in the order of their activations and read in their own: groups have each other's columns."""
    quantize(parent, child, 4, lambda _, q: replace(q, codes=q.codes.transpose(1, 2).reshape(q.codes.shape)))


@fault("llama", "outputs", "gate", bits=4)
def two_bits_for_four(parent: Path, child: Path) -> None:
    """What is called 4 bits has four different values in a group."""
    quantize(parent, child, 2)


@fault("mixtral", "outputs", "gate", bits=8, thread="llm-compressor#2939")
def experts_quantized_as_one(parent: Path, child: Path) -> None:
    """Fused experts were quantized with the scales of the first one."""
    tensors = read_tensors(parent)

    def first(name: str, q: Quantized) -> Quantized:
        head, found, tail = name.partition(".experts.")
        if not found:
            return q
        own = quantized(tensors[f"{head}.experts.0.{tail.partition('.')[2]}"], 8)
        return replace(q, scales=own.scales, zeros=own.zeros)

    quantize(parent, child, 8, first)
