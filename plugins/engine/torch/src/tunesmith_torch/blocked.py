"""Causal attention on a CPU in bfloat16, as matrix products that take all heads of a key at once.

PyTorch's fused kernel reaches a tenth of the processor's bfloat16 units there, its backward less. Blocks of queries against the keys they
see keep the products large, skip half of the square, and hold no more than a block's scores at a time. Up to `KEPT` tokens the
probabilities stay for the backward pass; beyond, they are computed again there (Dao et al., arXiv:2205.14135, section 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

BLOCK = 128  # queries: the fastest of 64 to 256 for sequences of 64 to 2048
KEPT = 512  # tokens


def blocked_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, window: int | None = None
) -> torch.Tensor:
    """(heads, tokens, size) from `query` of that shape, `key` and `value` (keys, tokens, size); heads is a multiple of keys.

    Args:
        window: how many tokens each sees, itself among them; None for all before it.
    """
    return _Blocked.apply(query, key, value, scaling, window or query.shape[1])


class _Blocked(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, window: int
    ) -> torch.Tensor:  # fmt: skip
        heads, length, size = query.shape
        rows = (query * scaling).view(key.shape[0], -1, length, size)
        output = torch.empty_like(rows)
        kept = []
        for start, end, first in _blocks(length, window):
            weights = _weights(_flat(rows, start, end), key, start, end, first, window)
            output[:, :, start:end] = (weights @ value[:, first:end]).view(key.shape[0], -1, end - start, size)
            if length <= KEPT and any(ctx.needs_input_grad):
                kept.append(weights)
        ctx.save_for_backward(rows, key, value, *kept)
        ctx.scaling, ctx.window = scaling, window
        return output.view(heads, length, size)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rows, key, value, *kept = ctx.saved_tensors
        keys, _, length, size = rows.shape
        gradient = gradients[0].reshape(rows.shape)
        by_query, by_key, by_value = torch.empty_like(rows), torch.zeros_like(key), torch.zeros_like(value)
        for number, (start, end, first) in enumerate(_blocks(length, ctx.window)):
            queries, outward = _flat(rows, start, end), _flat(gradient, start, end)
            weights = kept[number] if kept else _weights(queries, key, start, end, first, ctx.window)
            by_value[:, first:end].baddbmm_(weights.transpose(1, 2), outward)
            by_weight = outward @ value[:, first:end].transpose(1, 2)
            by_score = torch._softmax_backward_data(by_weight, weights, -1, weights.dtype)
            by_query[:, :, start:end] = (by_score @ key[:, first:end]).view(keys, -1, end - start, size)
            by_key[:, first:end].baddbmm_(by_score.transpose(1, 2), queries)
        return by_query.mul_(ctx.scaling).view(-1, length, size), by_key, by_value, None, None


def _blocks(length: int, window: int) -> Iterator[tuple[int, int, int]]:
    """First query, the one after the last, and the first key that any of them sees."""
    for start in range(0, length, BLOCK):
        yield start, min(start + BLOCK, length), max(0, start - window + 1)


def _flat(rows: torch.Tensor, start: int, end: int) -> torch.Tensor:
    """(keys, heads of a key x queries, size)"""
    return rows[:, :, start:end].reshape(rows.shape[0], -1, rows.shape[3])


def _weights(queries: torch.Tensor, key: torch.Tensor, start: int, end: int, first: int, window: int) -> torch.Tensor:
    """(keys, heads of a key x queries, keys seen): the probabilities."""
    scores = queries @ key[:, first:end].transpose(1, 2)
    square = scores.view(key.shape[0], -1, end - start, end - first)
    square[..., start - first :] += torch.full((end - start, end - start), float("-inf"), dtype=scores.dtype).triu_(1)
    if end - first > window:
        distance = torch.arange(start, end)[:, None] - torch.arange(first, end)
        square.masked_fill_(distance >= window, float("-inf"))
    return torch.softmax(scores, dim=-1)
