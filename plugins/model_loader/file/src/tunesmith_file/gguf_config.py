"""A GGUF header in the terms of a Hugging Face ``config.json``, for planning.

The keys are those of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md ("Standardized key-value pairs").
"""

from __future__ import annotations

from typing import Any

from tunesmith_file.gguf import TENSOR_TYPES, Header

_KEYS = {
    "block_count": "num_hidden_layers",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "attention.layer_norm_epsilon": "layer_norm_eps",
    "attention.sliding_window": "sliding_window",
    "context_length": "max_position_embeddings",
    "rope.freq_base": "rope_theta",
    "vocab_size": "vocab_size",
    "expert_count": "num_experts",
    "expert_used_count": "num_experts_per_tok",
}
_TOKENS = {"bos_token_id": "bos_token_id", "eos_token_id": "eos_token_id", "padding_token_id": "pad_token_id"}
#: Where llama.cpp's name of an architecture is not transformers' `model_type` with the same letters.
_MODEL_TYPES = {
    "qwen2moe": "qwen2_moe", "qwen3moe": "qwen3_moe", "gptoss": "gpt_oss", "gpt-oss": "gpt_oss", "command-r": "cohere",
    "gptneox": "gpt_neox", "minimax-m2": "minimax_m2",
}  # fmt: skip


def config_of(header: Header) -> dict[str, Any]:
    """The model's sizes; what the header does not tell is left out.

    `quantization_config` tells the type of most weights and the mean bits per weight.
    """
    metadata = header.metadata
    architecture = str(metadata.get("general.architecture", ""))
    config: dict[str, Any] = {"model_type": _MODEL_TYPES.get(architecture, architecture)}
    for key, name in _KEYS.items():
        value = metadata.get(f"{architecture}.{key}")
        if isinstance(value, list) and value and len(set(map(str, value))) == 1:
            value = value[0]  # some writers give one equal number per layer
        if isinstance(value, (int, float)):
            config[name] = value
    for key, name in _TOKENS.items():
        if isinstance(metadata.get(f"tokenizer.ggml.{key}"), int):
            config[name] = metadata[f"tokenizer.ggml.{key}"]
    vocabulary = header.lengths.get("tokenizer.ggml.tokens")
    if vocabulary:
        config.setdefault("vocab_size", vocabulary)
    if header.tensors:
        config["tie_word_embeddings"] = all(tensor.name != "output.weight" for tensor in header.tensors)
        config["quantization_config"] = _precision(header)
    return config


def _precision(header: Header) -> dict[str, Any]:
    elements: dict[int, int] = {}
    for tensor in header.tensors:
        elements[tensor.type] = elements.get(tensor.type, 0) + tensor.elements
    usual = max(elements, key=lambda type_: elements[type_])
    total = sum(elements.values())
    size = sum(tensor.bytes for tensor in header.tensors)
    bits = round(8 * size / total, 2) if total else 0.0
    return {"quant_method": "gguf", "type": TENSOR_TYPES.get(usual, (f"type {usual}",))[0], "bits": bits}
