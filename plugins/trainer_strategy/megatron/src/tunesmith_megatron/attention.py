"""Attention among the tokens of each sequence of a row, by torch's own kernels, on any device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from megatron.core.packed_seq_params import PackedSeqParams
from torch.nn import functional


@dataclass
class Sequences(PackedSeqParams):
    """How a row is cut.

    Args:
        lengths: of the sequences, in their order.
    """

    lengths: tuple[int, ...] = ()

    @classmethod
    def of(cls, lengths: tuple[int, ...], device: torch.device) -> Sequences:
        bounds = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32).to(device)
        longest = max(lengths)
        return cls(
            qkv_format="thd", cu_seqlens_q=bounds, cu_seqlens_kv=bounds, max_seqlen_q=longest, max_seqlen_kv=longest, lengths=lengths
        )


class PackedAttention(torch.nn.Module):
    """Megatron's `core_attention`. Its own needs Transformer Engine for several sequences in a row."""

    def __init__(self, config: Any, layer_number: int, attn_mask_type: Any, attention_type: str, **_: Any) -> None:
        super().__init__()

    def forward(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: Any, attn_mask_type: Any = None,
        attention_bias: Any = None, packed_seq_params: Sequences | None = None,
    ) -> torch.Tensor:  # fmt: skip
        """(tokens, heads, head size) of each; keys and values may have fewer heads."""
        assert packed_seq_params is not None
        lengths = list(packed_seq_params.lengths)
        outputs = []
        for q, k, v in zip(query.split(lengths), key.split(lengths), value.split(lengths), strict=True):
            q, k, v = (part.transpose(0, 1)[None] for part in (q, k, v))
            outputs.append(functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)[0].transpose(0, 1))
        return torch.cat(outputs)
