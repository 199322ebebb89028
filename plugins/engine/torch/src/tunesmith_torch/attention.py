"""Attention over packed sequences: one call of the fastest kernel per piece, on any device.

A packed row holds sequences that must not see one another. A block-diagonal mask would do, but costs the square of the row's length and
keeps the fast kernels away; so the row is cut into its pieces instead. The function is registered with transformers under `NAME`; the
pieces reach it as ``packed_pieces``, which models hand down to their attention as they do with every argument they do not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from tunesmith_torch.blocked import blocked_attention
from tunesmith_torch.packed import Piece

NAME = "tunesmith_packed"

#: Arguments of attention functions that change what is computed, which `_segment` does not know.
_FOREIGN = ("s_aux", "position_bias", "head_mask", "cache")


class Unpackable(Exception):
    """A layer wants something of attention that this module does not compute."""


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    packed_pieces: tuple[Piece, ...] | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **rest: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each sequence. `query` is (1, heads, tokens, head size); gives (1, tokens, heads, head size).

    Without pieces it is ordinary attention: causal, or as the mask says.
    """
    foreign = [name for name in _FOREIGN if rest.get(name) is not None]
    if foreign or is_causal is False or not getattr(module, "is_causal", True):
        raise Unpackable(f"{type(module).__name__} uses {', '.join(foreign) or 'attention in both directions'}")
    if packed_pieces is None and (attention_mask is not None or query.shape[2] != key.shape[2]):
        if softcap is None:
            return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, is_causal, **rest)
        return _softcapped(query, key, value, dropout, scaling, attention_mask, softcap).transpose(1, 2), None
    pieces = packed_pieces or ((0, query.shape[2], -1),)
    lengths = [end - start for start, end, _ in pieces]
    # split, not slices: the gradient of a slice is a tensor of the whole row's size
    queries, keys, values = (tensor.split(lengths, 2) for tensor in (query, key, value))
    outputs = []
    for number, own in enumerate(queries):
        line = _line(pieces, number)
        seen = [torch.cat([part[at] for at in line], dim=2) if len(line) > 1 else part[number] for part in (keys, values)]
        outputs.append(_causal(own, *seen, dropout, scaling, sliding_window, softcap))
    return torch.cat(outputs, dim=2).transpose(1, 2), None


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
        return _softcapped(query, key, value, dropout, scaling, _band(length, seen, window, query.device), softcap)
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


def _softcapped(
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


def packed_mask(attention_mask: torch.Tensor | None = None, **rest: Any) -> torch.Tensor | None:
    """No mask for a packed row, which transformers recognises by nothing being padded; its usual one for everything else."""
    if attention_mask is None and rest.get("q_length") == rest.get("kv_length") and rest.get("batch_size") == 1:
        return None
    return sdpa_mask(attention_mask=attention_mask, **rest)


AttentionInterface.register(NAME, packed_attention)
AttentionMaskInterface.register(NAME, packed_mask)
