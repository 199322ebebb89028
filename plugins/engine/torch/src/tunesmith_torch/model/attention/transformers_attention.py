"""The attention over packed sequences, as transformers' models call it.

It is registered with transformers under `NAME`; the pieces reach it as ``packed_pieces``, which models hand down to their attention as
they do with every argument that they do not know.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from tunesmith_torch.data.packing import Piece
from tunesmith_torch.model.attention.packed_attention import attend, softcapped

NAME = "tunesmith_packed"

#: Arguments of attention functions that change what is computed, which `attend` does not know.
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
        return softcapped(query, key, value, dropout, scaling, attention_mask, softcap).transpose(1, 2), None
    pieces = packed_pieces or ((0, query.shape[2], -1),)
    return attend(query, key, value, pieces, scaling=scaling, window=sliding_window, softcap=softcap, dropout=dropout), None


def packed_mask(attention_mask: torch.Tensor | None = None, **rest: Any) -> torch.Tensor | None:
    """No mask for a packed row, which transformers recognises by nothing being padded; its usual one for everything else."""
    if attention_mask is None and rest.get("q_length") == rest.get("kv_length") and rest.get("batch_size") == 1:
        return None
    return sdpa_mask(attention_mask=attention_mask, **rest)


AttentionInterface.register(NAME, packed_attention)
AttentionMaskInterface.register(NAME, packed_mask)
