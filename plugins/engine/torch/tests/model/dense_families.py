"""A tiny model of each family that the engine has a decoder for, with weights that show, and what is computed of it."""

from __future__ import annotations

from pathlib import Path

import torch
import transformers

from tunesmith_torch.api import TokenSequence

COMMON = {
    "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
    "vocab_size": 101, "max_position_embeddings": 128, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16,
    "rope_theta": 500.0,
}  # fmt: skip
SIZED = {"head_dim": 16}
MODELS = {
    "llama": ("LlamaConfig", {}),
    "llama tied, biased, with scaled positions": (
        "LlamaConfig", {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True, "rope_parameters": LLAMA3},
    ),
    "llama with linearly scaled positions": ("LlamaConfig", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}}),
    "mistral in a window": ("MistralConfig", {"sliding_window": 7}),
    "qwen2": ("Qwen2Config", {}),
    "qwen2 with windows": ("Qwen2Config", {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}),
    "qwen3": ("Qwen3Config", SIZED),
    "smollm3": ("SmolLM3Config", {"no_rope_layer_interval": 2}),
    "phi3": ("Phi3Config", {"sliding_window": 9}),
    "phi3 turning half": (
        "Phi3Config", {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}},
    ),
    "gemma": ("GemmaConfig", SIZED),
    "gemma2": ("Gemma2Config", {**SIZED, "sliding_window": 6, "query_pre_attn_scalar": 24}),
    "gemma3": ("Gemma3TextConfig", {**SIZED, "sliding_window": 6, "sliding_window_pattern": 2, "query_pre_attn_scalar": 24}),
}  # fmt: skip


def write(directory: Path, name: str) -> Path:
    torch.manual_seed(0)
    config, changes = MODELS[name]
    model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, config)(**COMMON, **changes))
    with torch.no_grad():  # norms begin at one, biases at nothing: neither would show
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
            else:
                parameter.mul_(4)
    model.save_pretrained(directory)
    return directory


def sequences() -> list[TokenSequence]:
    """Three, of which two have a beginning in common."""
    draw = torch.Generator().manual_seed(1)
    start = torch.randint(3, 101, (18,), generator=draw).tolist()
    made = []
    for length in (11, 4, 23):
        tokens = (start if length != 4 else []) + torch.randint(3, 101, (length,), generator=draw).tolist()
        made.append(TokenSequence(tokens, [False, *(at % 3 != 0 for at in range(1, len(tokens)))]))
    return made


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], tolerance: float) -> None:
    """By name, as a share of the largest."""
    assert one.keys() == other.keys()
    for name in one:
        scale = other[name].abs().max() + 1e-6
        assert (one[name] - other[name]).abs().max() <= tolerance * scale, name
