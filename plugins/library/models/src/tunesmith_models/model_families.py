"""Families of decoders: what a ``config.json`` leaves unsaid about their matrices, norms and biases.

Each is held against a real model of its family (tests/formats). One that is missing is not guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SPLIT, JOINED = ("q_proj", "k_proj", "v_proj", "o_proj"), ("qkv_proj", "o_proj")
GATED, GATED_JOINED = ("gate_proj", "up_proj", "down_proj"), ("gate_up_proj", "down_proj")
QKV, OUT, HEAD = ("q_proj", "k_proj", "v_proj"), ("o_proj",), "lm_head"
ALWAYS = ""  #: instead of a key: in every model of the family


@dataclass(frozen=True)
class Family:
    """What all models of a family have.

    Args:
        norms: of a layer, each a vector of the hidden size; with `norm_bias` two.
        last_norm: whether there is one more after the layers.
        head_norms: on queries and keys: ``head``, one for all heads, or ``width``, one for each; and the key that must be set, or `ALWAYS`.
        biases: names of matrices that have a bias, by the key that says so, or `ALWAYS`.
        attention, mlp: names of the matrices, as the module has them.
        gated: the MLP multiplies two branches.
        experts: MLPs of several experts with a router; `expert_biases`: all of these have biases.
        latent: keys and values are compressed (multi-head latent attention, DeepSeek-V2, arXiv:2405.04434).
        sinks: a number for each head beside its scores.
        positions: learned, these more than the configuration names; None: they are rotary.
        defaults: what the configuration class takes where a file says nothing, if that is not nothing.
    """

    norms: int = 2
    norm_bias: bool = False
    last_norm: bool = True
    head_norms: tuple[str, str] | None = None
    biases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attention: tuple[str, ...] = SPLIT
    mlp: tuple[str, ...] = GATED
    gated: bool = True
    experts: bool = False
    expert_biases: bool = False
    latent: bool = False
    sinks: bool = False
    positions: int | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)


_ATTENTION = {"attention_bias": QKV + OUT}
_LLAMA = {**_ATTENTION, "mlp_bias": GATED}
_INPUTS = {"attention_bias": QKV}
_TIED, _EIGHT = {"tie_word_embeddings": True}, {"num_key_value_heads": 8}
_BIASED = {"attention_bias": True}
_EACH, _WHOLE = ("head", ALWAYS), ("width", ALWAYS)
_GPT2, _NEOX = ("c_attn", "c_proj"), ("dense_h_to_4h", "dense_4h_to_h")

PLAIN = Family(biases=_LLAMA)  #: what a decoder is that says no more than its sizes
FAMILIES: Mapping[str, Family] = {
    "arcee": Family(biases={**_ATTENTION, "mlp_bias": ("up_proj", "down_proj")}, mlp=("up_proj", "down_proj"), gated=False),
    "cohere": Family(norms=1, biases=_ATTENTION, head_norms=("width", "use_qk_norm"), defaults=_TIED),
    "cohere2": Family(norms=1, biases=_ATTENTION, defaults=_TIED),
    "deepseek_v2": Family(biases=_ATTENTION, experts=True, latent=True),
    "deepseek_v3": Family(biases=_ATTENTION, experts=True, latent=True),
    "dots1": Family(head_norms=_EACH, biases=_ATTENTION, experts=True),
    "ernie4_5": Family(biases={"use_bias": QKV + OUT + GATED}, defaults=_TIED),
    "exaone4": Family(head_norms=_EACH),
    "gemma": Family(biases=_ATTENTION, defaults=_TIED),
    "gemma2": Family(norms=4, biases=_ATTENTION, defaults=_TIED),
    "gemma3_text": Family(norms=4, head_norms=_EACH, biases=_ATTENTION, defaults=_TIED),
    "glm": Family(biases=_INPUTS, mlp=GATED_JOINED, defaults=_BIASED),
    "glm4": Family(norms=4, biases=_INPUTS, mlp=GATED_JOINED, defaults=_BIASED),
    "glm4_moe": Family(head_norms=("head", "use_qk_norm"), biases=_INPUTS, experts=True),
    "gpt2": Family(norm_bias=True, biases={ALWAYS: (*_GPT2, "c_fc")}, attention=_GPT2, mlp=("c_fc", "c_proj"), gated=False, positions=0,
                   defaults=_TIED),
    "gpt_neox": Family(norm_bias=True, biases={"attention_bias": ("query_key_value", "dense"), ALWAYS: _NEOX},
                       attention=("query_key_value", "dense"), mlp=_NEOX, gated=False, defaults=_BIASED),
    "gpt_oss": Family(biases=_ATTENTION, experts=True, expert_biases=True, sinks=True, defaults=_BIASED),
    "granite": Family(biases=_LLAMA),
    "granitemoe": Family(biases=_ATTENTION, experts=True),
    "llama": PLAIN,
    "ministral3": Family(),
    "mistral": Family(defaults=_EIGHT),
    "mixtral": Family(experts=True, defaults=_EIGHT),
    "olmo": Family(norms=0, last_norm=False, biases=_ATTENTION),
    "olmo2": Family(head_norms=_WHOLE, biases=_ATTENTION),
    "olmo3": Family(head_norms=_WHOLE, biases=_ATTENTION),
    "olmoe": Family(head_norms=_WHOLE, biases=_ATTENTION, experts=True),
    "opt": Family(norm_bias=True, biases={"enable_bias": (*QKV, "out_proj", "fc1", "fc2")}, attention=(*QKV, "out_proj"),
                  mlp=("fc1", "fc2"), gated=False, positions=2, defaults={**_TIED, "enable_bias": True}),
    "phi": Family(norms=1, norm_bias=True, biases={ALWAYS: (*QKV, "dense", "fc1", "fc2", HEAD)}, attention=(*QKV, "dense"),
                  mlp=("fc1", "fc2"), gated=False),
    "phi3": Family(attention=JOINED, mlp=GATED_JOINED),
    "phimoe": Family(norm_bias=True, biases={**_ATTENTION, "lm_head_bias": (HEAD,)}, experts=True),
    "qwen2": Family(biases={ALWAYS: QKV}),
    "qwen2_5_vl_text": Family(biases={ALWAYS: QKV}),
    "qwen2_moe": Family(biases={"qkv_bias": QKV}, experts=True, defaults={"qkv_bias": True}),
    "qwen2_vl_text": Family(biases={ALWAYS: QKV}),
    "qwen3": Family(head_norms=_EACH, biases=_ATTENTION),
    "qwen3_moe": Family(head_norms=_EACH, biases=_ATTENTION, experts=True),
    "seed_oss": Family(biases={**_INPUTS, "attention_out_bias": OUT, "mlp_bias": GATED}, defaults=_BIASED),
    "smollm3": Family(biases=_LLAMA, defaults=_TIED),
    "stablelm": Family(norm_bias=True, biases={"use_qkv_bias": QKV}, defaults={"num_key_value_heads": 32}),
    "starcoder2": Family(norm_bias=True, biases={"use_bias": (*SPLIT, "c_fc", "c_proj")}, mlp=("c_fc", "c_proj"), gated=False,
                         defaults={**_TIED, "use_bias": True, "num_key_value_heads": 2}),
}  # fmt: skip
