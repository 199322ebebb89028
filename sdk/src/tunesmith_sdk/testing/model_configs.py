"""Configurations of made-up and well-known models, for tests of what estimates say."""

from __future__ import annotations

from typing import Any


def llama(
    layers: int, hidden: int, intermediate: int, heads: int, kv_heads: int, vocabulary: int, tied: bool = True, positions: int = 8192
) -> dict[str, Any]:
    """A ``config.json`` of the family that most decoders are built like."""
    return {
        "model_type": "llama", "num_hidden_layers": layers, "hidden_size": hidden, "intermediate_size": intermediate,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": hidden // heads, "vocab_size": vocabulary,
        "tie_word_embeddings": tied, "max_position_embeddings": positions,
    }  # fmt: skip


SMOLLM2 = llama(30, 576, 1536, 9, 3, 49152)  #: SmolLM2-135M
