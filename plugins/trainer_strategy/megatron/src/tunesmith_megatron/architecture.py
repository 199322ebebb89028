"""Which models are converted, and what of their ``config.json`` decides how. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import UserError

#: `model_type` -> whether queries, keys and values have a bias, queries and keys a norm of their own, feed-forward layers experts
FAMILIES = {"llama": (False, False, False), "qwen2": (True, False, False), "qwen3": (False, True, False), "qwen3_moe": (False, True, True)}
_ROPE = ("default", "linear", "llama3")  #: rotary embeddings that differ in their frequencies alone


@dataclass(frozen=True)
class Architecture:
    """A model's sizes.

    Args:
        qkv_bias: queries, keys and values have a bias.
        qk_norm: queries and keys have a norm, over each head.
        tied: the output head is the embedding.
        experts: of a layer that has some; 0: none has.
        expert_layers: whether each layer has experts.
        normalised: the chosen experts' weights add up to 1.
    """

    family: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    intermediate: int
    vocabulary: int
    positions: int
    eps: float
    qkv_bias: bool
    qk_norm: bool
    tied: bool
    experts: int = 0
    experts_per_token: int = 0
    expert_intermediate: int = 0
    expert_layers: tuple[bool, ...] = ()
    normalised: bool = True


def architecture_of(config: Mapping[str, Any]) -> Architecture:
    """Of a model's ``config.json``.

    Raises:
        UserError: TS-TRAIN-080 for one that is not converted.
    """
    family = str(config.get("model_type", ""))
    if family not in FAMILIES:
        raise _unconverted(f"models of type `{family}` are not converted to Megatron's; {', '.join(FAMILIES)} are")
    bias, norm, experts = FAMILIES[family]
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    for wrong, what in (
        (config.get("quantization_config"), "its weights are quantized"),
        (family != "qwen2" and config.get("attention_bias"), "it has `attention_bias`"),
        (config.get("mlp_bias"), "it has `mlp_bias`"),
        (config.get("use_sliding_window"), "it has `use_sliding_window`"),
        (config.get("attention_dropout"), "it has `attention_dropout`"),
        (config.get("hidden_act", "silu") != "silu", f"its `hidden_act` is {config.get('hidden_act')}"),
        (kind not in _ROPE, f"its rotary embedding is of type `{kind}`"),
    ):
        if wrong:
            raise _unconverted(f"{what}, which is not converted to Megatron's")
    heads, layers = int(config["num_attention_heads"]), int(config["num_hidden_layers"])
    sparse, dense = int(config.get("decoder_sparse_step", 1)), config.get("mlp_only_layers") or ()
    return Architecture(
        family=family, layers=layers, hidden=int(config["hidden_size"]), heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        head_size=int(config.get("head_dim") or int(config["hidden_size"]) // heads), intermediate=int(config["intermediate_size"]),
        vocabulary=int(config["vocab_size"]), positions=int(config.get("max_position_embeddings") or 0),
        eps=float(config.get("rms_norm_eps", 1e-6)), qkv_bias=bias, qk_norm=norm, tied=bool(config.get("tie_word_embeddings", False)),
        experts=int(config.get("num_experts") or config.get("num_local_experts") or 0) if experts else 0,
        experts_per_token=int(config.get("num_experts_per_tok", 0)) if experts else 0,
        expert_intermediate=int(config.get("moe_intermediate_size", 0)) if experts else 0,
        expert_layers=tuple(experts and at not in dense and (at + 1) % sparse == 0 for at in range(layers)),
        normalised=bool(config.get("norm_topk_prob", False)),
    )  # fmt: skip


def _unconverted(why: str) -> UserError:
    return UserError(
        "TS-TRAIN-080", "The strategy `megatron` can't train this model", why=why,
        fix="Use the strategy `fsdp` or `deepspeed`, which train any model.",
    )  # fmt: skip
