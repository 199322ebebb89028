"""A row of queries, keys and values side by side, taken apart into heads, with positions turned into queries and keys."""

from __future__ import annotations

from typing import Any

import torch

from tunesmith_torch.model.dense.rotary_embedding import Angles


def heads(row: torch.Tensor, turn: Angles | None, counts: tuple[int, int], size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries, keys and values, each (1, heads, tokens, size).

    Args:
        row: (tokens, (queries + 2 keys) size).
        turn: cosines and sines; None for a layer without positions.
        counts: heads of queries and of keys.
    """
    cos, sin = turn if turn is not None else (None, None)
    return _Heads.apply(row, cos, sin, counts, size)


class _Heads(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, row: torch.Tensor, cos: torch.Tensor | None, sin: torch.Tensor | None, counts: tuple[int, int], size: int
    ) -> tuple[torch.Tensor, ...]:  # fmt: skip
        ctx.counts, ctx.size, ctx.cos, ctx.sin = counts, size, cos, sin
        turned = sum(counts)
        apart = row.view(len(row), -1, size).transpose(0, 1)
        result = row.new_empty(turned, len(row), size)
        _turn(apart[:turned], result, cos, sin)
        return result[None, : counts[0]], result[None, counts[0] :], apart[None, turned:].contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        by_query, by_key, by_value = (gradient[0] for gradient in gradients)
        queries, turned = ctx.counts[0], sum(ctx.counts)
        row = by_query.new_empty(by_query.shape[1], turned + ctx.counts[1], ctx.size)
        apart, back = row.transpose(0, 1), None if ctx.sin is None else -ctx.sin
        _turn(by_query, apart[:queries], ctx.cos, back)
        _turn(by_key, apart[queries:turned], ctx.cos, back)
        apart[turned:] = by_value
        return row.flatten(1), None, None, None, None


def _turn(given: torch.Tensor, result: torch.Tensor, cos: torch.Tensor | None, sin: torch.Tensor | None) -> None:
    """(heads, tokens, size): each pair (i, i + half) of the first 2 half numbers is turned by the position's angle; the rest is copied."""
    if cos is None or sin is None:
        result.copy_(given)
        return
    half = cos.shape[1]
    first, second = given[..., :half], given[..., half : 2 * half]
    torch.mul(first, cos, out=result[..., :half]).addcmul_(second, sin, value=-1)
    torch.mul(second, cos, out=result[..., half : 2 * half]).addcmul_(first, sin)
    if 2 * half < given.shape[2]:
        result[..., 2 * half :] = given[..., 2 * half :]
