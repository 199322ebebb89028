"""What estimators are given and give: memory and disk from a model's config alone, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0, "float64": 8.0, "int8": 1.0}


@dataclass(frozen=True)
class ModelShape:
    """Sizes of a decoder-only transformer. `linears` lists the matrices of one layer as (name, in, out).

    `config` is what it was made of, for estimators that have to know the family.
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

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ModelShape | None:
        """From a Hugging Face ``config.json``; None if it does not describe a dense decoder."""
        text = config.get("text_config", config)
        try:
            hidden, heads = int(text["hidden_size"]), int(text["num_attention_heads"])
            return cls(
                layers=int(text["num_hidden_layers"]), hidden=hidden, intermediate=int(text["intermediate_size"]), heads=heads,
                kv_heads=int(text.get("num_key_value_heads") or heads), head_size=int(text.get("head_dim") or hidden // heads),
                vocabulary=int(text["vocab_size"]), tied=bool(text.get("tie_word_embeddings", config.get("tie_word_embeddings", False))),
                positions=int(text.get("max_position_embeddings", 0)), config=config,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def linears(self) -> tuple[tuple[str, int, int], ...]:
        q, kv = self.heads * self.head_size, self.kv_heads * self.head_size
        return (
            ("q_proj", self.hidden, q), ("k_proj", self.hidden, kv), ("v_proj", self.hidden, kv), ("o_proj", q, self.hidden),
            ("gate_proj", self.hidden, self.intermediate), ("up_proj", self.hidden, self.intermediate),
            ("down_proj", self.intermediate, self.hidden),
        )  # fmt: skip

    @property
    def embedding(self) -> int:
        """Parameters of the embedding and, if it is not tied, of the output head."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        layer = sum(a * b for _, a, b in self.linears) + 2 * self.hidden
        return self.layers * layer + self.hidden + self.embedding

    def kv_bytes(self, tokens: int, dtype_bytes: float = 2.0) -> float:
        """Bytes of keys and values of `tokens` positions."""
        return 2.0 * self.layers * self.kv_heads * self.head_size * tokens * dtype_bytes


@dataclass(frozen=True)
class EstimateRequest:
    """What an estimator may look at.

    Args:
        shape: the main input's sizes; None if unknown.
        input_bytes: size on disk of the main input, 0 if unknown.
        settings: of this provider, defaults filled in.
        step_settings: of the step's verb.
        parts: the answers of the step's other estimators by slot (a verb's own estimator is asked last).
        data: statistics of the data input: ``rows``, and ``characters`` or, where it is known, ``length``, the tokens of a row.
        device: name of the device backend.
    """

    shape: ModelShape | None
    input_bytes: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    step_settings: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"


@dataclass(frozen=True)
class Estimate:
    """Bytes at the peak by what they are for (they add up to `memory`), and bytes written to disk.

    The estimator of a verb, quantizer, exporter or inference backend gives one of these; an adapter's gives its parts as a mapping.
    They are asked in a helper process of the planner, each with some seconds' time; where one fails, its estimate is unknown.
    One that raises a `UserError` refuses: these settings can't work on this model, and the plan says so.

    Args:
        notes: what to know of the figures, a sentence each.
        decisions: what will be done in another way on this model than on others: (what, reason); the plan says so.
        savings: settings of the verb with which it would need less, those first that cost least; each on top of the ones before.
    """

    terms: Mapping[str, float]
    disk: float = 0.0
    notes: tuple[str, ...] = ()
    decisions: tuple[tuple[str, str], ...] = ()
    savings: tuple[Mapping[str, Any], ...] = ()

    @property
    def memory(self) -> float:
        return sum(self.terms.values())
