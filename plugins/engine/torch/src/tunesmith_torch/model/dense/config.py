"""What distinguishes the dense decoder families, read from a model's ``config.json``. Standard library only: the planner asks it, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Families as ``model_type`` names them, and what their configuration class takes where the file says nothing.
FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "llama": {"theta": 1e4},
    "mistral": {"theta": 1e4, "window": 4096},
    "qwen2": {"theta": 1e4, "qkv_bias": True},
    "qwen3": {"theta": 1e4, "head_norms": True},
    "smollm3": {"theta": 2e6},
    "phi3": {"theta": 1e4, "joined": True},
    "gemma": {"theta": 1e4, "gemma": True},
    "gemma2": {"theta": 1e4, "gemma": True, "sandwich": True, "window": 4096, "attention_softcap": 50.0, "logit_softcap": 30.0},
    "gemma3_text": {"theta": 1e6, "gemma": True, "sandwich": True, "window": 4096, "head_norms": True},
}
ACTIVATIONS = {"silu": "silu", "swish": "silu", "gelu_pytorch_tanh": "gelu_tanh", "gelu": "gelu_tanh"}  # "gelu": as Gemma means it
LOCAL_THETA = 1e4  # of Gemma 3's sliding layers

#: What would change what is computed, if it were set.
_FOREIGN = ("use_bidirectional_attention", "resid_pdrop", "embd_pdrop", "attention_dropout", "quantization_config", "rope_interleaved")


@dataclass(frozen=True)
class Rotary:
    """Rotary position embedding (Su et al., arXiv:2104.09864) over the first `size` numbers of a head.

    Args:
        scaling: ``rope_type`` and its numbers; empty for none.
    """

    theta: float
    size: int
    scaling: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class LayerSpec:
    """What differs from layer to layer. `rotary`: None for a layer without positions. `window`: tokens seen, None for all."""

    rotary: Rotary | None
    window: int | None


@dataclass(frozen=True)
class DenseSpec:
    """A dense decoder.

    Args:
        gemma: norms multiply by 1 + weight in float32, embeddings are scaled by the root of their size.
        sandwich: norms also after attention and MLP.
        head_norms: queries and keys are normalised head by head.
        joined: the files hold ``qkv_proj`` and ``gate_up_proj``.
        attention_scale: what scores are multiplied with.
        attention_softcap, logit_softcap: 0 for none.
    """

    family: str
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    eps: float
    activation: str
    tied: bool
    attention_scale: float
    layers: tuple[LayerSpec, ...]
    qkv_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    gemma: bool = False
    sandwich: bool = False
    head_norms: bool = False
    joined: bool = False
    attention_softcap: float = 0.0
    logit_softcap: float = 0.0
    config: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def widths(self) -> tuple[int, int, int]:
        """Of queries, keys, values."""
        return self.heads * self.head_size, self.kv_heads * self.head_size, self.kv_heads * self.head_size


class NotDense(Exception):
    """The model is none of these; the sentence says why."""


def dense_spec(config: Mapping[str, Any]) -> DenseSpec:
    """From a ``config.json``.

    Raises:
        NotDense: with the reason.
    """
    family = str(config.get("model_type"))
    known = FAMILIES.get(family)
    if known is None:
        raise NotDense(f"{family} is none of {', '.join(FAMILIES)}")
    strange = [name for name in _FOREIGN if config.get(name)]
    if strange:
        raise NotDense(f"its configuration sets {', '.join(strange)}")
    activation = str(config.get("hidden_activation") or config.get("hidden_act") or ("gelu_pytorch_tanh" if known.get("gemma") else "silu"))
    if activation not in ACTIVATIONS or (activation == "gelu" and not known.get("gemma")):
        raise NotDense(f"its activation is {activation}")
    try:
        return _spec(family, known, config, ACTIVATIONS[activation])
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise NotDense(f"its configuration can't be read: {type(error).__name__} {error}") from error


def _spec(family: str, known: Mapping[str, Any], config: Mapping[str, Any], activation: str) -> DenseSpec:
    hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    head_size = int(config.get("head_dim") or hidden // heads)
    gemma = bool(known.get("gemma"))
    scalar = config.get("query_pre_attn_scalar", 256) if known.get("sandwich") else head_size
    bias = bool(config.get("attention_bias"))
    return DenseSpec(
        family=family, hidden=hidden, intermediate=int(config["intermediate_size"]), heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads), head_size=head_size, vocabulary=int(config["vocab_size"]),
        eps=float(config.get("rms_norm_eps", 1e-6)), activation=activation,
        tied=bool(config.get("tie_word_embeddings", gemma or family == "smollm3")), attention_scale=float(scalar) ** -0.5,
        layers=tuple(_layers(family, known, config, head_size)), qkv_bias=bool(known.get("qkv_bias")) or bias,
        output_bias=bias, mlp_bias=bool(config.get("mlp_bias")), gemma=gemma, sandwich=bool(known.get("sandwich")),
        head_norms=bool(known.get("head_norms")), joined=bool(known.get("joined")),
        attention_softcap=_cap(config, "attn_logit_softcapping", known.get("attention_softcap", 0.0)),
        logit_softcap=_cap(config, "final_logit_softcapping", known.get("logit_softcap", 0.0)), config=dict(config),
    )  # fmt: skip


def _cap(config: Mapping[str, Any], name: str, default: float) -> float:
    return float(config.get(name, default) or 0.0)


def _layers(family: str, known: Mapping[str, Any], config: Mapping[str, Any], head_size: int) -> list[LayerSpec]:
    count = int(config["num_hidden_layers"])
    types = config.get("layer_types") or _usual_types(family, config, count)
    window = config.get("sliding_window", known.get("window"))
    if family in ("qwen2", "qwen3", "smollm3") and not config.get("use_sliding_window"):
        window = None
    if family in ("mistral", "phi3"):  # all layers, whatever `layer_types` says
        types = ["sliding_attention" if window else "full_attention"] * count
    foreign = set(types) - {"full_attention", "sliding_attention"}
    if foreign or len(types) != count:
        raise NotDense(f"it has layers of {', '.join(sorted(foreign)) or 'unknown type'}")
    without = config.get("no_rope_layers") or [
        int((at + 1) % int(config.get("no_rope_layer_interval", 4)) != 0) if family == "smollm3" else 1 for at in range(count)
    ]
    specs = []
    for kind, turns in zip(types, without, strict=False):
        sliding = kind == "sliding_attention"
        rotary = _rotary(family, known, config, kind, head_size) if turns else None
        specs.append(LayerSpec(rotary, int(window) if sliding and window else None))
    return specs


def _usual_types(family: str, config: Mapping[str, Any], count: int) -> list[str]:
    """What a configuration without ``layer_types`` means."""
    every = {"gemma2": 2, "gemma3_text": int(config.get("sliding_window_pattern", 6))}.get(family)
    if every:
        return ["sliding_attention" if (at + 1) % every else "full_attention" for at in range(count)]
    if family in ("qwen2", "qwen3"):
        first = int(config.get("max_window_layers", 28))
        return ["sliding_attention" if config.get("use_sliding_window") and at >= first else "full_attention" for at in range(count)]
    return ["full_attention"] * count


def _rotary(family: str, known: Mapping[str, Any], config: Mapping[str, Any], kind: str, head_size: int) -> Rotary:
    """Newer files say ``rope_parameters`` (for each type of layer, where they differ), older ones ``rope_theta`` and ``rope_scaling``."""
    said = config.get("rope_parameters")
    if isinstance(said, Mapping) and isinstance(said.get(kind), Mapping):
        numbers = dict(said[kind])
    elif isinstance(said, Mapping):
        numbers = dict(said)
    else:
        numbers = {**(config.get("rope_scaling") or {}), "rope_theta": config.get("rope_theta", known["theta"])}
        if family == "gemma3_text" and kind == "sliding_attention":
            numbers = {"rope_theta": config.get("rope_local_base_freq", LOCAL_THETA)}
    kind = str(numbers.pop("rope_type", None) or numbers.pop("type", None) or "default")
    numbers.pop("type", None)
    share = float(numbers.pop("partial_rotary_factor", config.get("partial_rotary_factor", 1.0)) or 1.0)
    theta = float(numbers.pop("rope_theta", known["theta"]))
    if kind == "default":
        return Rotary(theta, int(head_size * share))
    if kind not in ("linear", "llama3"):
        raise NotDense(f"its positions are scaled by {kind}")
    return Rotary(theta, int(head_size * share), tuple(sorted({"rope_type": kind, **numbers}.items())))
