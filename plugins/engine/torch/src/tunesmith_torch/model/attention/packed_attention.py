"""Attention over packed sequences: one call of the fastest kernel per piece, on any device.

A packed row holds sequences that must not see one another. A block-diagonal mask would do, but costs the square of the row's length and
keeps the fast kernels away; so the row is cut into its pieces instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from tunesmith_torch.data.packing import Piece
from tunesmith_torch.model.attention.cpu_attention import blocked_attention


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, pieces: Sequence[Piece], *, scaling: float | None = None,
    window: int | None = None, softcap: float | None = None, dropout: float = 0.0,
) -> torch.Tensor:  # fmt: skip
    """Causal attention within each sequence.

    (1, tokens, heads, size) from queries (1, heads, tokens, size), and keys and values that may have fewer heads.
    """
    lengths = [end - start for start, end, _ in pieces]
    # split, not slices: the gradient of a slice is a tensor of the whole row's size
    queries, keys, values = (tensor.split(lengths, 2) for tensor in (query, key, value))
    outputs = []
    for number, own in enumerate(queries):
        line = _line(pieces, number)
        seen = [torch.cat([part[at] for at in line], dim=2) if len(line) > 1 else part[number] for part in (keys, values)]
        outputs.append(_causal(own, *seen, dropout, scaling, window, softcap).transpose(1, 2))
    return torch.cat(outputs, dim=1)


def _line(pieces: Sequence[Piece], number: int) -> list[int]:
    """The piece `number` and those that it continues, the first of them first."""
    line = [number]
    while (parent := pieces[line[0]][2]) >= 0:
        line.insert(0, parent)
    return line


def _causal(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, dropout: float, scaling: float | None, window: int | None,
    softcap: float | None,
) -> torch.Tensor:  # fmt: skip
    """The queries are the last of the tokens that there are keys of."""
    length, seen = query.shape[2], key.shape[2]
    if softcap is not None:
        return softcapped(query, key, value, dropout, scaling, _band(length, seen, window, query.device), softcap)
    if query.device.type == "cpu" and query.dtype == torch.bfloat16 and query.shape[0] == 1 and not dropout:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        return blocked_attention(query[0], key[0], value[0], scale, window)[None]
    plain = seen == length and (window is None or length <= window)
    return functional.scaled_dot_product_attention(
        query, key, value, None if plain else _band(length, seen, window, query.device), dropout, is_causal=length > 1 and plain,
        scale=scaling, enable_gqa=query.shape[1] != key.shape[1],
    )  # fmt: skip


def _band(queries: int, keys: int, window: int | None, device: torch.device) -> torch.Tensor:
    """(queries, keys) bool: which tokens each of the last ones sees."""
    at = torch.arange(keys, device=device)
    distance = at[keys - queries :, None] - at[None, :]
    return (distance >= 0) & (distance < (window or keys))


def softcapped(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, dropout: float, scaling: float | None, mask: torch.Tensor | None,
    softcap: float,
) -> torch.Tensor:  # fmt: skip
    """Scores squeezed by ``softcap * tanh(score / softcap)`` (Gemma 2, arXiv:2408.00118, section 2), which no fused kernel does."""
    repeats = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(repeats, dim=1), value.repeat_interleave(repeats, dim=1)
    scores = query @ key.transpose(2, 3) * (scaling if scaling is not None else query.shape[-1] ** -0.5)
    scores = torch.tanh(scores / softcap) * softcap
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = functional.dropout(torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype), dropout)
    return weights @ value
