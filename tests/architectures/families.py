"""Tiny configurations of the architectures that the table is about: real classes of transformers, small sizes, random weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith_sdk.tiny_models import tiny_tokenizer
from tunesmith_sdk.tiny_multimodal_models import tiny_multimodal

BASE = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
    "max_position_embeddings": 512, "tie_word_embeddings": False,
}  # fmt: skip
#: without dropout and noise, by whichever name: with them losses are those of no other run
_CALM = (
    "resid_pdrop", "embd_pdrop", "attn_pdrop", "summary_first_dropout", "dropout", "hidden_dropout", "attention_dropout",
    "activation_dropout", "dropout_rate", "hidden_dropout_prob", "attention_probs_dropout_prob", "embed_dropout", "resid_dropout",
    "residual_dropout", "router_jitter_noise", "input_jitter_noise",
)  # fmt: skip
_GPT = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 512, "n_inner": 128}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
_LATENT = {
    "q_lora_rank": 32, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 16, "head_dim": 8,
    "num_key_value_heads": 4, "n_routed_experts": 4, "num_experts_per_tok": 2, "n_group": 2, "topk_group": 1, "moe_intermediate_size": 64,
    "n_shared_experts": 1, "first_k_dense_replace": 1,
}  # fmt: skip
_STATE = {"state_size": 8, "conv_kernel": 4, "expand": 2, "time_step_rank": 4}
_MAMBA = {"mamba_d_state": 8, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_n_heads": 8, "mamba_d_head": 16, "mamba_n_groups": 1}
_ENCODER = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 512}
_VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28, "patch_size": 14,
}  # fmt: skip


class Family(NamedTuple):
    """An architecture.

    Args:
        group: what it is an example of.
        overrides: of `BASE`, or all of it where `whole`.
        kind: ``decoder``, ``encoder``, ``encoder-decoder`` or ``media``, one that sees or hears, of whose parts `overrides` speaks.
        sample: `tiny_multimodal` makes it, with its processor.
    """

    group: str
    overrides: Mapping[str, Any] = {}
    whole: bool = False
    kind: str = "decoder"
    sample: bool = False


FAMILIES: dict[str, Family] = {
    # dense decoders
    **{name: Family("dense") for name in ("llama", "mistral", "qwen2", "qwen3", "smollm3", "gemma", "gemma2", "olmo", "olmo2", "arcee")},
    "gemma3_text": Family("dense", {"sliding_window": 8}),
    "phi3": Family("dense, fused qkv", {"head_dim": None, "pad_token_id": 0}),
    "phi": Family("dense"), "stablelm": Family("dense"), "starcoder2": Family("dense"), "cohere": Family("dense"),
    "cohere2": Family("dense", {"sliding_window": 8}), "glm": Family("dense"), "glm4": Family("dense"), "granite": Family("dense"),
    "nemotron": Family("dense"), "ernie4_5": Family("dense"), "exaone4": Family("dense", {"sliding_window": 8}), "helium": Family("dense"),
    "seed_oss": Family("dense"), "hunyuan_v1_dense": Family("dense"), "apertus": Family("dense"), "bitnet": Family("dense"),
    "persimmon": Family("dense, fused qkv", {"num_key_value_heads": 4}),
    "falcon": Family("dense, fused qkv", {"head_dim": None, "num_kv_heads": 2, "new_decoder_architecture": True, "ffn_hidden_size": 128}),
    "gpt_neox": Family("dense, fused qkv"),
    "gpt2": Family("dense, Conv1D", _GPT, whole=True), "gptj": Family("dense", {**_GPT, "rotary_dim": 8}, whole=True),
    "gpt_bigcode": Family("dense, fused qkv", _GPT, whole=True),
    "codegen": Family("dense, fused qkv", {**_GPT, "rotary_dim": 8}, whole=True),
    "gpt_neo": Family("dense", {
        "hidden_size": 64, "num_layers": 2, "num_heads": 4, "intermediate_size": 128, "max_position_embeddings": 512,
        "attention_types": [[["global", "local"], 1]], "window_size": 8,
    }, whole=True),
    "opt": Family("dense", {
        "hidden_size": 64, "ffn_dim": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 512,
        "word_embed_proj_dim": 64,
    }, whole=True),
    "bloom": Family("dense, fused qkv", {"hidden_size": 64, "n_layer": 2, "n_head": 4}, whole=True),
    "mpt": Family("dense, fused qkv", {"d_model": 64, "n_layers": 2, "n_heads": 4, "max_seq_len": 512, "expansion_ratio": 2}, whole=True),
    # mixtures of experts
    "mixtral": Family("experts", {"num_local_experts": 4, "num_experts_per_tok": 2}),
    "qwen2_moe": Family("experts", {**_EXPERTS, "shared_expert_intermediate_size": 64}),
    "qwen3_moe": Family("experts", _EXPERTS), "olmoe": Family("experts", {"num_experts": 4, "num_experts_per_tok": 2}),
    "phimoe": Family("experts", {"num_local_experts": 4, "num_experts_per_tok": 2}),
    "granitemoe": Family("experts", {"num_local_experts": 4, "num_experts_per_tok": 2}),
    "gpt_oss": Family("experts", {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 8}),
    "deepseek_v2": Family("experts, latent attention", {**_LATENT, "topk_method": "greedy"}),
    "deepseek_v3": Family("experts, latent attention", _LATENT),
    "glm4_moe": Family("experts", {
        "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "n_group": 1, "topk_group": 1, "n_shared_experts": 1,
        "first_k_dense_replace": 1,
    }),
    "ernie4_5_moe": Family("experts", {"moe_num_experts": 4, "moe_k": 2, "moe_intermediate_size": 64, "moe_layer_start_index": 1}),
    "dots1": Family("experts", {
        "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "n_group": 1, "topk_group": 1, "n_shared_experts": 1,
        "first_k_dense_replace": 1,
    }),
    "llama4_text": Family("experts", {
        "num_local_experts": 4, "num_experts_per_tok": 1, "intermediate_size_mlp": 128, "attention_chunk_size": 16,
    }),
    # state space and mixed
    "mamba": Family("state space", {"hidden_size": 64, "num_hidden_layers": 2, **_STATE}, whole=True),
    "mamba2": Family("state space", {
        "hidden_size": 64, "num_hidden_layers": 2, "num_heads": 8, "head_dim": 16, "state_size": 8, "n_groups": 1, "chunk_size": 8,
    }, whole=True),
    "falcon_mamba": Family("state space", {"hidden_size": 64, "num_hidden_layers": 2, **_STATE}, whole=True),
    "falcon_h1": Family("state space and attention", {**_MAMBA, "mamba_d_ssm": 128, "mamba_chunk_size": 8}),
    "bamba": Family("state space and attention", {**_MAMBA, "attn_layer_indices": [1], "mamba_chunk_size": 8}),
    "jamba": Family("state space and attention", {
        "mamba_d_state": 8, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_dt_rank": 4, "num_experts": 2, "num_experts_per_tok": 1,
        "attn_layer_period": 2, "attn_layer_offset": 1, "use_mamba_kernels": False,
    }),
    "recurrent_gemma": Family("recurrence and attention", {
        "lru_width": 64, "attention_window_size": 16, "block_types": ["recurrent", "attention"], "num_hidden_layers": 2,
    }),
    "lfm2": Family("convolution and attention", {"layer_types": ["conv", "full_attention"], "conv_L_cache": 3, "block_ff_dim": 128}),
    "qwen3_next": Family("linear and full attention", {
        **_EXPERTS, "shared_expert_intermediate_size": 64, "linear_num_value_heads": 4, "linear_num_key_heads": 2,
        "linear_key_head_dim": 16, "linear_value_head_dim": 16, "layer_types": ["linear_attention", "full_attention"],
    }),
    # seeing and hearing
    **{name: Family("sees", kind="media", sample=True) for name in ("qwen2_vl", "qwen2_5_vl", "idefics3", "smolvlm")},
    "qwen2_audio": Family("hears", kind="media", sample=True),
    "gemma3": Family("sees", {
        "text_config": {**BASE, "sliding_window": 8}, "vision_config": _VISION, "mm_tokens_per_image": 4, "image_token_index": 319,
        "boi_token_index": 317, "eoi_token_index": 318,
    }, kind="media"),
    "internvl": Family("sees", {
        "text_config": {**BASE, "model_type": "qwen2"}, "vision_config": {**_VISION, "image_size": [28, 28], "patch_size": [14, 14]},
        "image_token_id": 319, "image_seq_length": 1,
    }, kind="media"),
    "llava": Family("sees", {
        "text_config": {**BASE, "model_type": "llama"}, "vision_config": {**_VISION, "model_type": "clip_vision_model"},
        "image_token_index": 319,
    }, kind="media"),
    "llama4": Family("sees, experts", {
        "text_config": {
            **BASE, "num_local_experts": 4, "num_experts_per_tok": 1, "intermediate_size_mlp": 128, "attention_chunk_size": 16,
        },
        "vision_config": {**_VISION, "vision_output_dim": 32, "projector_input_dim": 32, "projector_output_dim": 32},
        "image_token_index": 319, "boi_token_index": 317, "eoi_token_index": 318,
    }, kind="media"),
    # encoders
    **{name: Family("encoder", _ENCODER, whole=True, kind="encoder") for name in ("bert", "roberta", "electra", "modernbert")},
    "distilbert": Family("encoder", {"dim": 64, "hidden_dim": 128, "n_layers": 2, "n_heads": 4}, whole=True, kind="encoder"),
    "deberta-v2": Family("encoder", {**_ENCODER, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]}, whole=True, kind="encoder"),
    # encoder-decoders
    "t5": Family("encoder-decoder", {
        "d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0,
    }, whole=True, kind="encoder-decoder"),
    "bart": Family("encoder-decoder", {
        "d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
        "encoder_ffn_dim": 128, "decoder_ffn_dim": 128, "max_position_embeddings": 512,
    }, whole=True, kind="encoder-decoder"),
}  # fmt: skip


def write(name: str, directory: Path) -> Path:
    """The tiny model with its tokenizer, as ``model/hf``."""
    import torch
    import transformers

    family = FAMILIES[name]
    if family.sample:
        return tiny_multimodal(directory, family=name)
    tokenizer = tiny_tokenizer()
    special = {key: getattr(tokenizer, key) for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    sizes = dict(family.overrides) if family.whole or family.kind == "media" else {**BASE, **family.overrides}
    if family.kind == "media":
        sizes["text_config"] = {**sizes["text_config"], **special, "vocab_size": len(tokenizer)}
    else:
        sizes |= {**special, "vocab_size": len(tokenizer)}
    config = transformers.AutoConfig.for_model(name, **{key: value for key, value in sizes.items() if value is not None})
    for key in _CALM:
        if isinstance(getattr(config, key, None), float):
            setattr(config, key, 0.0)
    automatic = {"encoder": "AutoModelForMaskedLM", "encoder-decoder": "AutoModelForSeq2SeqLM", "media": "AutoModelForMultimodalLM"}
    torch.manual_seed(0)
    made = getattr(transformers, automatic.get(family.kind, "AutoModelForCausalLM")).from_config(config, dtype=torch.float32)
    made.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory
