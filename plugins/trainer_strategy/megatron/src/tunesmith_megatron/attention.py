"""Attention among the tokens of each sequence of a row, by torch's own kernels, on any device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from megatron.core import parallel_state
from megatron.core.packed_seq_params import PackedSeqParams
from megatron.core.tensor_parallel import gather_from_sequence_parallel_region
from torch.nn import functional
from torch.nn.attention.bias import causal_lower_right

from tunesmith_megatron.row_part import RowPart


@dataclass
class Sequences(PackedSeqParams):
    """How a row is cut.

    Args:
        part: what is here of it.
    """

    part: RowPart | None = None

    @classmethod
    def of(cls, part: RowPart) -> Sequences:
        bounds = torch.tensor([0, *part.lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32).to(part.tokens.device)
        longest = max(part.lengths)
        return cls(qkv_format="thd", cu_seqlens_q=bounds, cu_seqlens_kv=bounds, max_seqlen_q=longest, max_seqlen_kv=longest, part=part)


class PackedAttention(torch.nn.Module):
    """Megatron's `core_attention`. Its own needs Transformer Engine for several sequences in a row.

    Ranks that divide a row gather its keys and values, and send the gradients of them back (Llama 3, arXiv:2407.21783, 3.3.2).
    """

    def __init__(self, config: Any, layer_number: int, attn_mask_type: Any, attention_type: str, **_: Any) -> None:
        super().__init__()

    def forward(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: Any, attn_mask_type: Any = None,
        attention_bias: Any = None, packed_seq_params: Sequences | None = None,
    ) -> torch.Tensor:  # fmt: skip
        """(tokens, heads, head size) of each; keys and values may have fewer heads."""
        assert packed_seq_params is not None
        assert packed_seq_params.part is not None
        part = packed_seq_params.part
        if part.order is not None:
            group = parallel_state.get_context_parallel_group()
            key, value = (gather_from_sequence_parallel_region(each, group=group)[part.order] for each in (key, value))
        queries = iter(query.split([size for pieces in part.pieces for size, _ in pieces]))
        outputs = []
        for pieces, k, v in zip(part.pieces, key.split(list(part.lengths)), value.split(list(part.lengths)), strict=True):
            outputs += [_causal(next(queries), k[:seen], v[:seen]) for _, seen in pieces]
        return torch.cat(outputs)


def _causal(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """The last of `query` sees all of `key`."""
    q, k, v = (part.transpose(0, 1)[None] for part in (query, key, value))
    if len(query) == len(key):
        found = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    else:
        found = functional.scaled_dot_product_attention(q, k, v, attn_mask=causal_lower_right(len(query), len(key)), enable_gqa=True)
    return found[0].transpose(0, 1)
