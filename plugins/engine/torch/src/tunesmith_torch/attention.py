"""Attention over packed sequences: one call of the fastest kernel per sequence, on any device.

A packed row holds sequences that must not see one another. A block-diagonal mask would do, but costs the square of the row's length and
keeps the fast kernels away; so the row is cut at its bounds instead. The function is registered with transformers under `NAME`; the
bounds reach it as ``segment_bounds``, which models hand down to their attention as they do with every argument they do not know.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from tunesmith_torch.blocked import blocked_attention

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
    segment_bounds: tuple[int, ...] | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **rest: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each sequence. `query` is (1, heads, tokens, head size); gives (1, tokens, heads, head size).

    Without bounds it is ordinary attention: causal, or as the mask says.
    """
    foreign = [name for name in _FOREIGN if rest.get(name) is not None]
    if foreign or is_causal is False or not getattr(module, "is_causal", True):
        raise Unpackable(f"{type(module).__name__} uses {', '.join(foreign) or 'attention in both directions'}")
    if segment_bounds is None and (attention_mask is not None or query.shape[2] != key.shape[2]):
        if softcap is None:
            return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, is_causal, **rest)
        return _softcapped(query, key, value, dropout, scaling, attention_mask, softcap).transpose(1, 2), None
    bounds = segment_bounds or (0, query.shape[2])
    lengths = [after - before for before, after in itertools.pairwise(bounds)]
    # split, not slices: the gradient of a slice is a tensor of the whole row's size
    pieces = zip(query.split(lengths, 2), key.split(lengths, 2), value.split(lengths, 2), strict=True)
    outputs = [_causal(q, k, v, dropout, scaling, sliding_window, softcap) for q, k, v in pieces]
    return torch.cat(outputs, dim=2).transpose(1, 2), None


def _causal(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, dropout: float, scaling: float | None, window: int | None,
    softcap: float | None,
) -> torch.Tensor:  # fmt: skip
    length = query.shape[2]
    if softcap is not None:
        return _softcapped(query, key, value, dropout, scaling, _band(length, window, query.device), softcap)
    if query.device.type == "cpu" and query.dtype == torch.bfloat16 and query.shape[0] == 1 and not dropout:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        return blocked_attention(query[0], key[0], value[0], scale, window)[None]
    banded = window is not None and length > window
    return functional.scaled_dot_product_attention(
        query, key, value, _band(length, window, query.device) if banded else None, dropout, is_causal=length > 1 and not banded,
        scale=scaling, enable_gqa=query.shape[1] != key.shape[1],
    )  # fmt: skip


def _band(length: int, window: int | None, device: torch.device) -> torch.Tensor:
    """(length, length) bool: which earlier tokens each token sees."""
    at = torch.arange(length, device=device)
    distance = at[:, None] - at[None, :]
    return (distance >= 0) & (distance < (window or length))


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
