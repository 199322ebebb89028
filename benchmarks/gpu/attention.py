"""Attention within packed sequences: the engine's loop over them against kernels that take them all at once.

Each is held against the plain formula in float32 on the same numbers: none may be much farther from it than the loop. Times are of a
forward and a backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

import torch
from device import Device
from told import Skip, Telling, sentence
from torch.nn import functional

from tunesmith_torch.model.attention.packed_attention import attend

TIMES = 10


class Shape(NamedTuple):
    lengths: tuple[int, ...]
    heads: int
    keys: int
    size: int


SMALL = Shape((7, 130, 1, 64, 300), 4, 2, 32)
#: Qwen3-0.6B's heads, 8,192 tokens: a few long sequences, and many short ones
LARGE = {
    "16 sequences": Shape((1536, 1024, 1024, 768, 768, 512, 512, 384, 384, 320, 256, 256, 192, 128, 64, 64), 16, 8, 128),
    "64 sequences": Shape((128,) * 64, 16, 8, 128),
}
Call = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]  #: of queries, keys and values (1, heads, tokens, size)


def run(device: Device, folder: Path, tell: Telling, *, timed: bool) -> None:
    shapes = LARGE if timed and device.gpu else {"5 sequences": SMALL}
    for title, shape in shapes.items():
        given = _given(shape, device)
        wanted = _passes(_formula(shape, device), [value.float() for value in given])
        allowed, base = 0.0, 0.0
        for name, make in (("loop", _loop), ("varlen", _varlen), ("flex", _flex), ("flash", _flash), ("mask", _mask)):
            what = f"{name}, {title}, {device.compute}"
            try:
                call = make(shape, device)
                found = _passes(call, given)
            except Skip as reason:
                tell.skipped(what, str(reason))
                continue
            except (RuntimeError, ImportError) as error:  # a kernel that is not for this device
                if name == "loop":
                    raise
                tell.skipped(what, sentence(error))
                continue
            off = max(_off(one, other) for one, other in zip(wanted, found, strict=True))
            allowed = allowed or max(3 * off, 1e-5)
            figures = {"off": off}
            told = f"{off:.1e} off"
            if timed:
                seconds = device.seconds(lambda call=call, given=given: _passes(call, given), times=TIMES)
                base = base or seconds
                figures |= {"seconds": seconds, "of_loop": seconds / base}
                told += f", {seconds * 1e3:.2f} ms, {base / seconds:.2f} times the loop's speed"
            limit = 0.05 if name == "loop" else allowed
            tell.held(what, told, holds=off <= limit, otherwise=f"at most {limit:.1e}", **figures)


def _given(shape: Shape, device: Device) -> list[torch.Tensor]:
    torch.manual_seed(0)
    tokens, dtype = sum(shape.lengths), getattr(torch, device.compute)
    heads = (shape.heads, shape.keys, shape.keys)
    return [torch.randn(1, count, tokens, shape.size).to(device.torch, dtype) for count in heads]


def _passes(call: Call, given: list[torch.Tensor]) -> list[torch.Tensor]:
    """The output (1, tokens, heads, size) and the gradients of what was given."""
    own = [value.detach().requires_grad_() for value in given]
    output = call(*own)
    output.backward(torch.ones_like(output))
    return [output.detach(), *(value.grad for value in own)]


def _off(wanted: torch.Tensor, found: torch.Tensor) -> float:
    """The root mean square of the difference, as a share."""
    return float((wanted - found.float()).norm() / wanted.norm())


def _formula(shape: Shape, device: Device) -> Call:
    """Sequence by sequence, as it is written in books."""

    def attended(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        later = torch.ones(query.shape[2], query.shape[2], dtype=torch.bool, device=query.device).triu(1)
        scores = (query @ key.transpose(2, 3) * shape.size**-0.5).masked_fill(later, float("-inf"))
        return (torch.softmax(scores, -1) @ value).transpose(1, 2)

    def call(*given: torch.Tensor) -> torch.Tensor:
        wide = [tensor.repeat_interleave(shape.heads // tensor.shape[1], 1) for tensor in given]
        parts = zip(*(tensor.split(shape.lengths, 2) for tensor in wide), strict=True)
        return torch.cat([attended(*part) for part in parts], 1)

    return call


def _allowed(shape: Shape, device: Device) -> torch.Tensor:
    """(tokens, tokens) bool: which token each sees."""
    at = torch.arange(sum(shape.lengths), device=device.torch)
    of = _sequence_of(shape, device)
    return (of[:, None] == of) & (at[:, None] >= at)


def _sequence_of(shape: Shape, device: Device) -> torch.Tensor:
    lengths = torch.tensor(shape.lengths, device=device.torch)
    return torch.arange(len(lengths), device=device.torch).repeat_interleave(lengths)


def _bounds(shape: Shape, device: Device) -> torch.Tensor:
    return functional.pad(torch.tensor(shape.lengths, device=device.torch).cumsum(0), (1, 0)).to(torch.int32)


def _loop(shape: Shape, device: Device) -> Call:
    """The engine's own."""
    pieces, start = [], 0
    for length in shape.lengths:
        pieces.append((start, start + length, -1))
        start += length
    return lambda query, key, value: attend(query, key, value, pieces)


def _mask(shape: Shape, device: Device) -> Call:
    """One call with the mask written out, as transformers packs without a kernel for it."""
    allowed = _allowed(shape, device)

    def call(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return functional.scaled_dot_product_attention(query, key, value, allowed, enable_gqa=True).transpose(1, 2)

    return call


def _varlen(shape: Shape, device: Device) -> Call:
    """PyTorch's, from 2.10 on."""
    if find_spec("torch.nn.attention.varlen") is None:
        raise Skip(f"PyTorch {torch.__version__} has no torch.nn.attention.varlen")
    from torch.nn.attention.varlen import varlen_attn

    bounds, longest = _bounds(shape, device), max(shape.lengths)
    known = signature(varlen_attn).parameters
    # its first versions had `is_causal`; later ones have a window, of which a right side of 0 is the same
    options: dict[str, Any] = {"window_size": (-1, 0)} if "window_size" in known else {"is_causal": True}
    shared = "enable_gqa" in known
    if shared:
        options["enable_gqa"] = True

    def call(*given: torch.Tensor) -> torch.Tensor:
        wide = given if shared else [tensor.repeat_interleave(shape.heads // tensor.shape[1], 1) for tensor in given]
        rows = [tensor[0].transpose(0, 1) for tensor in wide]
        return varlen_attn(*rows, bounds, bounds, longest, longest, **options)[None]

    return call


def _flex(shape: Shape, device: Device) -> Call:
    """PyTorch's flex attention, compiled on a GPU."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    of, tokens = _sequence_of(shape, device), sum(shape.lengths)

    def seen(batch: torch.Tensor, head: torch.Tensor, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        return (of[query] == of[key]) & (query >= key)

    if not device.gpu:
        raise Skip("its backward pass is for GPUs")
    blocks = create_block_mask(seen, None, None, tokens, tokens, device=str(device.torch))
    compiled = torch.compile(flex_attention, dynamic=False)
    return lambda query, key, value: compiled(query, key, value, block_mask=blocks, enable_gqa=True).transpose(1, 2)


def _flash(shape: Shape, device: Device) -> Call:
    """Dao's, where it is installed."""
    if find_spec("flash_attn") is None:
        raise Skip("flash-attn is not installed")
    if not device.gpu:
        raise Skip("flash-attn is for GPUs")
    from flash_attn import flash_attn_varlen_func

    bounds, longest = _bounds(shape, device), max(shape.lengths)

    def call(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        rows = [tensor[0].transpose(0, 1) for tensor in (query, key, value)]
        return flash_attn_varlen_func(*rows, bounds, bounds, longest, longest, causal=True)[None]

    return call
