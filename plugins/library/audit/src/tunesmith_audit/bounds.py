"""How far an artifact may be from its parent, by its bits and the model's size: data, each with its source, in bounds.json."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Bounds:
    """
    Args:
        kl: nats a token, at most, on average.
        top1: share of the tokens at which both expect the same next one, at least; of those where the parent is decided.
        perplexity: the child's over the parent's, at most.
    """

    kl: float
    top1: float
    perplexity: float
    source: str = ""


@functools.cache
def _table() -> Mapping[str, Any]:
    return json.loads(resources.files(__package__).joinpath("bounds.json").read_text("utf-8"))


def weight_bound(kind: str) -> float:
    """The largest |child - parent| / |parent| of a matrix; `kind`: a dtype of safetensors, or a number of bits."""
    return float(_table()["weights"][kind]["change"])


def output_bounds(bits: int, parameters: float = 0.0) -> Bounds:
    """Of a model in so many bits; without a size, as for a small one."""
    for entry in _table()["outputs"]:
        if entry["bits"] <= bits and (entry["below"] is None or parameters < entry["below"]):
            return Bounds(entry["kl"], entry["top1"], entry["perplexity"], entry["source"])
    return Bounds(**{key: _table()["outputs"][-1][key] for key in ("kl", "top1", "perplexity", "source")})


def bits_of(config: Mapping[str, Any], stored: str = "") -> int:
    """Of a model's weights, by its config, or else by the dtype that they are stored in (``bfloat16``)."""
    quantization = config.get("quantization_config")
    if not isinstance(quantization, Mapping) or not quantization:
        return 32 if stored in ("float32", "float64") else 16
    if quantization.get("load_in_8bit") or quantization.get("_load_in_8bit"):
        return 8
    if quantization.get("load_in_4bit") or quantization.get("_load_in_4bit"):
        return 4
    groups = quantization.get("config_groups")
    if isinstance(groups, Mapping):
        return min((int((group.get("weights") or {}).get("num_bits") or 16) for group in groups.values()), default=16)
    return int(quantization.get("bits") or quantization.get("w_bit") or 4)
