"""Sizes of a decoder-only transformer, from its configuration alone: how many parameters it has, in which matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tunesmith_models.dtypes import BYTES
from tunesmith_models.experts import Experts, experts_of
from tunesmith_models.model_families import ALWAYS, FAMILIES, HEAD, PLAIN, Family

if TYPE_CHECKING:
    from tunesmith.contracts import EstimateRequest


CLOSE = 0.03  # files of a plain decoder are as large as is counted but for so much
ALIASES = {
    "hidden_size": ("n_embd",), "num_hidden_layers": ("n_layer",), "num_attention_heads": ("n_head",), "intermediate_size": ("n_inner",),
    "max_position_embeddings": ("n_positions",),
}  # fmt: skip
TYPES = {"full_attention", "sliding_attention", "chunked_attention"}  # layers that differ in what they see, not in what they are
FOREIGN = ("qk_layernorm", "is_encoder_decoder", "add_cross_attention")  # set, they make another model of it


@dataclass(frozen=True)
class Linear:
    """Matrices of one name, `count` of them in all layers together, each with `inputs` x `outputs` weights.

    `expert`: one of several that a router chooses from; libraries may keep those of a layer in one tensor, which is no module of its own.
    """

    name: str
    inputs: int
    outputs: int
    count: int
    expert: bool = False

    @property
    def parameters(self) -> int:
        return self.inputs * self.outputs * self.count


@dataclass(frozen=True)
class ModelShape:
    """Sizes of a decoder-only transformer. Without `linears` and `others` it is a plain one: separate projections, a gated MLP, two norms.

    Args:
        intermediate: width of the MLP that a token passes through, in the widest layer; with experts, of those together that it is sent to.
        head_size: of queries and keys.
        config: what it was made of, for estimators that have to know the family.
        linears: the layers' matrices.
        others: parameters that are neither in `linears` nor in `embedding`: norms, biases, routers, learned positions, what sees or hears.
        expert_others: of those, what experts have.
        experts, experts_used: in a layer that has them, and by a token.
        kv_size: numbers that a layer keeps of a token's keys and values.
        kv_latent: the same where an engine keeps them as they are compressed (multi-head latent attention); 0 for models without.
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    tied: bool
    positions: int
    config: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    linears: tuple[Linear, ...] = ()
    others: int = -1
    expert_others: int = 0
    experts: int = 0
    experts_used: int = 0
    kv_size: int = 0
    kv_latent: int = 0

    def __post_init__(self) -> None:
        q, kv = self.heads * self.head_size, self.kv_heads * self.head_size
        hidden, inner, count = self.hidden, self.intermediate, self.layers
        if not self.linears:
            plain = (
                Linear("q_proj", hidden, q, count), Linear("k_proj", hidden, kv, count), Linear("v_proj", hidden, kv, count),
                Linear("o_proj", q, hidden, count), Linear("gate_proj", hidden, inner, count), Linear("up_proj", hidden, inner, count),
                Linear("down_proj", inner, hidden, count),
            )  # fmt: skip
            object.__setattr__(self, "linears", plain)
        if self.others < 0:
            object.__setattr__(self, "others", (2 * count + 1) * hidden)
        if not self.kv_size:
            object.__setattr__(self, "kv_size", 2 * kv)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], size: int = 0) -> ModelShape | None:
        """From a Hugging Face ``config.json``; None where it is no decoder, or of a family that is not known.

        Args:
            size: bytes of the model's files, 0 if unknown: they tell how much lies beside the decoder, and whether one of an unknown family
                is a plain one.
        """
        return _shape_of(config, size)

    @classmethod
    def of(cls, request: EstimateRequest) -> ModelShape | None:
        """Of the model that an estimate is asked for; None where it is not known."""
        return cls.from_config(request.config, request.model_bytes)

    @property
    def embedding(self) -> int:
        """Parameters of the embedding and, if it is not tied, of the output head."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def modules(self) -> tuple[Linear, ...]:
        """Matrices that are modules of their own, which is what adapters and libraries for few bits look for: not those of experts."""
        return tuple(linear for linear in self.linears if not linear.expert)

    @property
    def matrices(self) -> int:
        """Parameters of the layers' matrices."""
        return sum(linear.parameters for linear in self.linears)

    @property
    def parameters(self) -> int:
        """All of them, whether a token passes through or not."""
        return self.matrices + self.others + self.embedding

    @property
    def active(self) -> int:
        """Parameters that compute a token: of the experts only those that it is sent to."""
        idle = sum(linear.parameters for linear in self.linears if linear.expert) + self.expert_others
        return self.parameters - (idle - idle * self.experts_used // self.experts if self.experts else 0)

    def beside(self, others: int) -> ModelShape:
        """The same with so many parameters more that are none of the decoder's."""
        return replace(self, others=self.others + others)

    def kv_bytes(self, tokens: int, dtype_bytes: float = 2.0, *, latent: bool = False) -> float:
        """Bytes of keys and values of `tokens` positions.

        Args:
            latent: kept compressed, where the model allows it.
        """
        return float(self.layers * (self.kv_latent if latent and self.kv_latent else self.kv_size) * tokens) * dtype_bytes


def _shape_of(config: Mapping[str, Any], size: int = 0) -> ModelShape | None:
    text = config.get("text_config")
    inner = {**config, **text} if isinstance(text, Mapping) else config
    name = str(inner.get("model_type") or "")
    family = FAMILIES.get(name)
    try:
        shape = _Config(inner, family or PLAIN).shape(config)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    counted = _parameters_of(config, size)
    if shape is None or (name and family is None and abs(shape.parameters - counted) > CLOSE * counted):
        return None
    if inner is not config and counted > shape.parameters:  # what sees and hears
        return shape.beside(counted - shape.parameters)
    return shape


def _parameters_of(config: Mapping[str, Any], size: int) -> int:
    """How many parameters files of `size` bytes hold; 0 where it is not known."""
    each = BYTES.get(str(config.get("dtype") or config.get("torch_dtype")))
    return int(size / each) if each and not config.get("quantization_config") else 0


class _Config:
    """A configuration, read as one of a family."""

    def __init__(self, config: Mapping[str, Any], family: Family) -> None:
        self.config, self.family = config, family
        self.layers, self.hidden, self.heads = (self.size(key) for key in ("num_hidden_layers", "hidden_size", "num_attention_heads"))
        self.kv_heads = int(self.get("num_key_value_heads") or self.heads)
        self.head = int(self.get("head_dim") or self.hidden // self.heads)
        self.inner = int(self.get("intermediate_size") or (4 * self.hidden if self.get("n_embd") else 0))

    def get(self, key: str) -> Any:
        names = (key, *ALIASES.get(key, ()))
        return next((self.config[name] for name in names if self.config.get(name) is not None), self.family.defaults.get(key))

    def size(self, key: str) -> int:
        return int(self.get(key))

    def shape(self, whole: Mapping[str, Any]) -> ModelShape | None:
        if any(self.get(key) for key in FOREIGN) or set(self.get("layer_types") or ()) - TYPES:
            return None
        experts = experts_of(self.config, self.layers, self.inner) if self.family.experts else Experts()
        linears = (*self.attention(), *self.mlp(self.layers - experts.layers), *self.of_experts(experts))
        latent, rope = (int(self.get(key) or 0) for key in ("kv_lora_rank", "qk_rope_head_dim")) if self.family.latent else (0, 0)
        keys, values = self.head_sizes
        return ModelShape(
            layers=self.layers, hidden=self.hidden, intermediate=max(self.inner * (experts.layers < self.layers), experts.width),
            heads=self.heads, kv_heads=self.kv_heads, head_size=keys, vocabulary=self.size("vocab_size"),
            tied=bool(self.get("tie_word_embeddings")), positions=int(self.get("max_position_embeddings") or 0), config=whole,
            linears=linears, others=self.others(linears, experts), expert_others=self.expert_biases(linears),
            experts=experts.count, experts_used=experts.used,
            kv_size=self.kv_heads * (keys + values), kv_latent=latent + rope,
        )  # fmt: skip

    @property
    def head_sizes(self) -> tuple[int, int]:
        """Of keys and of values."""
        if not self.family.latent:
            return self.head, self.head
        return self.size("qk_nope_head_dim") + self.size("qk_rope_head_dim"), self.size("v_head_dim")

    def attention(self) -> list[Linear]:
        keys, values = self.head_sizes
        hidden, queries, out = self.hidden, self.heads * keys, self.heads * values
        if self.family.latent:
            rank, latent, rope = int(self.get("q_lora_rank") or 0), self.size("kv_lora_rank"), self.size("qk_rope_head_dim")
            asked = [("q_a_proj", hidden, rank), ("q_b_proj", rank, queries)] if rank else [("q_proj", hidden, queries)]
            both = ("kv_b_proj", latent, self.heads * (keys - rope + values))
            found = [*asked, ("kv_a_proj_with_mqa", hidden, latent + rope), both, ("o_proj", out, hidden)]
        else:
            *names, last = self.family.attention
            sizes = (queries, self.kv_heads * keys, self.kv_heads * values)
            sizes = (sum(sizes),) if len(names) == 1 else sizes
            found = [*((name, hidden, size) for name, size in zip(names, sizes)), (last, out, hidden)]
        return [Linear(name, into, size, self.layers) for name, into, size in found]

    def mlp(self, layers: int) -> list[Linear]:
        """Of the layers without experts."""
        if not layers:
            return []
        if not self.inner:
            raise ValueError("no intermediate_size")
        *names, last = self.family.mlp
        wide = self.inner * (2 if self.family.gated and len(names) == 1 else 1)
        return [*(Linear(name, self.hidden, wide, layers) for name in names), Linear(last, self.inner, self.hidden, layers)]

    def of_experts(self, experts: Experts) -> list[Linear]:
        if not experts.layers:
            return []
        hidden, count = self.hidden, experts.layers * experts.count
        inner = Linear("gate_up_proj", hidden, 2 * experts.size, count, expert=True)
        found = [inner, Linear("down_proj", experts.size, hidden, count, expert=True)]
        if experts.shared:
            found += [Linear(name, hidden, experts.shared, experts.layers) for name in ("gate_proj", "up_proj")]
            found.append(Linear("down_proj", experts.shared, hidden, experts.layers))
        return found

    def others(self, linears: tuple[Linear, ...], experts: Experts) -> int:
        """Norms, biases, routers, learned positions."""
        family, layers = self.family, self.layers
        vectors = (layers * family.norms + family.last_norm) * (2 if family.norm_bias else 1)
        found = vectors * self.hidden + experts.layers * (experts.count + experts.shared_gate) * self.hidden
        if family.head_norms and (family.head_norms[1] == ALWAYS or self.get(family.head_norms[1])):
            found += layers * self.head * (2 if family.head_norms[0] == "head" else self.heads + self.kv_heads)
        if family.latent:
            found += layers * (int(self.get("q_lora_rank") or 0) + self.size("kv_lora_rank"))
        biased = {name for key, names in family.biases.items() if key == ALWAYS or self.get(key) for name in names}
        if family.latent and "q_proj" in biased:  # of those that reduce, and of what leaves
            biased = {"q_a_proj", "kv_a_proj_with_mqa", "o_proj"}
        found += sum(linear.outputs * linear.count for linear in linears if linear.name in biased and not linear.expert)
        found += self.size("vocab_size") if HEAD in biased else 0
        if family.expert_biases:
            found += self.expert_biases(linears) + experts.layers * experts.count
        found += layers * self.heads if family.sinks else 0
        if family.positions is not None:
            found += (self.size("max_position_embeddings") + family.positions) * self.hidden
        return found

    def expert_biases(self, linears: tuple[Linear, ...]) -> int:
        """Of the experts themselves, not of the router."""
        return sum(linear.outputs * linear.count for linear in linears if linear.expert) if self.family.expert_biases else 0
