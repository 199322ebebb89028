"""Which layers of a model have experts, how many and how wide: each family has words of its own for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

COUNTS = ("num_local_experts", "num_experts", "n_routed_experts")
EVERY = ("decoder_sparse_step", "moe_layer_freq")  # of the layers, every so many


@dataclass(frozen=True)
class Experts:
    """
    Args:
        layers: that have experts.
        count, used: experts of such a layer, and those that a token is sent to.
        size: width of one; shared: of what all tokens pass through beside them.
        shared_gate: whether that has a gate of its own.
    """

    layers: int = 0
    count: int = 0
    used: int = 0
    size: int = 0
    shared: int = 0
    shared_gate: bool = False

    @property
    def width(self) -> int:
        """Of the MLP that a token passes through."""
        return self.used * self.size + self.shared


def experts_of(config: Mapping[str, Any], layers: int, inner: int) -> Experts:
    """
    Args:
        inner: width of an MLP without experts, and of an expert where the configuration has no word for that.

    Raises:
        ValueError: it does not say how many there are.
    """
    count = next((int(config[key]) for key in COUNTS if config.get(key)), 0)
    used = int(config.get("num_experts_per_tok") or 0)
    if not count or not used:
        raise ValueError("the number of experts is not told")
    size = int(config.get("moe_intermediate_size") or inner)
    shared = int(config.get("shared_expert_intermediate_size") or int(config.get("n_shared_experts") or 0) * size)
    return Experts(_layers(config, layers), count, used, size, shared, bool(config.get("shared_expert_intermediate_size")))


def _layers(config: Mapping[str, Any], layers: int) -> int:
    types = config.get("mlp_layer_types")
    if types:
        return sum(kind == "sparse" for kind in types)
    step = next((int(config[key]) for key in EVERY if isinstance(config.get(key), int)), 1)
    first, dense = int(config.get("first_k_dense_replace") or 0), set(config.get("mlp_only_layers") or ())
    from_one = bool(config.get("decoder_sparse_step"))  # its layers are counted from 1, the others' from 0
    return sum(at >= first and at not in dense and (at + from_one) % step == 0 for at in range(layers)) if step > 0 else 0
