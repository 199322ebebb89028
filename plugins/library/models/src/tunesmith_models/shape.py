"""Sizes of a decoder-only transformer, from its configuration alone: how many parameters it has, in which matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.contracts import EstimateRequest


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
        from tunesmith_models.config import shape_of

        return shape_of(config, size)

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
        idle = sum(linear.parameters for linear in self.linears if linear.expert)
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
