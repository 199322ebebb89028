"""Causal attention on a CPU in bfloat16, as matrix products that take all heads of a key at once.

PyTorch's fused kernel reaches a tenth of the processor's bfloat16 units there, its backward less. Blocks of queries against the keys they
see keep the products large, skip half of the square, and hold no more than a block's scores at a time. Up to `KEPT` tokens the
probabilities stay for the backward pass; beyond, they are computed again there (Dao et al., arXiv:2205.14135, section 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

BLOCK = 128  # queries: faster than 256 for 200 to 2048 tokens, than 64, 96 and as fast as 160 at 318
KEPT = 512  # tokens


def blocked_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, window: int | None = None
) -> torch.Tensor:
    """(heads, tokens, size) from `query` of that shape, `key` and `value` (keys, seen, size); heads is a multiple of keys.

    The queries are the last of the tokens seen; there may be more of those.

    Args:
        window: how many tokens each sees, itself among them; None for all before it.
    """
    return _Blocked.apply(query, key, value, scaling, window or key.shape[1])


class _Blocked(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, window: int
    ) -> torch.Tensor:  # fmt: skip
        heads, length, size = query.shape
        rows = (query * scaling).view(key.shape[0], -1, length, size)
        output = torch.empty_like(rows)
        kept = []
        for block in _blocks(length, key.shape[1], window):
            weights = _weights(_flat(rows, block), key, block, window)
            output[:, :, block.queries] = (weights @ value[:, block.seen]).view(key.shape[0], -1, block.length, size)
            if key.shape[1] <= KEPT and any(ctx.needs_input_grad):
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
        for number, block in enumerate(_blocks(length, key.shape[1], ctx.window)):
            queries, outward = _flat(rows, block), _flat(gradient, block)
            weights = kept[number] if kept else _weights(queries, key, block, ctx.window)
            by_value[:, block.seen].baddbmm_(weights.transpose(1, 2), outward)
            by_weight = outward @ value[:, block.seen].transpose(1, 2)
            by_score = torch._softmax_backward_data(by_weight, weights, -1, weights.dtype)
            by_query[:, :, block.queries] = (by_score @ key[:, block.seen]).view(keys, -1, block.length, size)
            by_key[:, block.seen].baddbmm_(by_score.transpose(1, 2), queries)
        return by_query.mul_(ctx.scaling).view(-1, length, size), by_key, by_value, None, None


class _Block(NamedTuple):
    """Which queries, and which keys any of them sees."""

    queries: slice
    seen: slice

    @property
    def length(self) -> int:
        return self.queries.stop - self.queries.start


def _blocks(length: int, keys: int, window: int) -> Iterator[_Block]:
    before = keys - length
    for start in range(0, length, BLOCK):
        end = min(start + BLOCK, length)
        yield _Block(slice(start, end), slice(max(0, before + start - window + 1), before + end))


def _flat(rows: torch.Tensor, block: _Block) -> torch.Tensor:
    """(keys, heads of a key x queries, size)"""
    return rows[:, :, block.queries].reshape(rows.shape[0], -1, rows.shape[3])


def _weights(queries: torch.Tensor, key: torch.Tensor, block: _Block, window: int) -> torch.Tensor:
    """(keys, heads of a key x queries, keys seen): the probabilities."""
    length, seen = block.length, block.seen.stop - block.seen.start
    scores = queries @ key[:, block.seen].transpose(1, 2)
    square = scores.view(key.shape[0], -1, length, seen)
    square[..., seen - length :] += torch.full((length, length), float("-inf"), dtype=scores.dtype).triu_(1)
    if seen > window:
        distance = torch.arange(seen - length, seen)[:, None] - torch.arange(seen)
        square.masked_fill_(distance >= window, float("-inf"))
    return torch.softmax(scores, dim=-1)
