"""The schemes, in the words of compressed-tensors' `QuantizationArgs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Scheme:
    """
    Args:
        bits: of a weight.
        grouped: whether weights of a group share a scale; else those of a row or of the matrix do.
        weights, activations: what the library is told of them; no activations: they stay as they are.
    """

    bits: int
    weights: Mapping[str, Any]
    activations: Mapping[str, Any] | None = None

    @property
    def grouped(self) -> bool:
        return self.weights["strategy"] == "group"

    def group(self, group_size: int) -> dict[str, Any]:
        """Of a recipe's ``config_groups``."""
        weights = {"num_bits": self.bits, "symmetric": True, **self.weights, **({"group_size": group_size} if self.grouped else {})}
        activations = {"input_activations": {"num_bits": 8, "symmetric": True, **self.activations}} if self.activations else {}
        return {"targets": ["Linear"], "weights": weights, **activations}


_TOKEN = {"strategy": "token", "dynamic": True}  # a scale a token, found while serving
SCHEMES: Mapping[str, Scheme] = {
    "W4A16": Scheme(4, {"type": "int", "strategy": "group"}),
    "W8A16": Scheme(8, {"type": "int", "strategy": "group"}),
    "W8A8": Scheme(8, {"type": "int", "strategy": "channel"}, {"type": "int", **_TOKEN}),
    "FP8": Scheme(8, {"type": "float", "strategy": "tensor"}, {"type": "float", "strategy": "tensor", "dynamic": False}),
    "FP8_DYNAMIC": Scheme(8, {"type": "float", "strategy": "channel"}, {"type": "float", **_TOKEN}),
}
#: of keys and values, whose scales are measured on the rows
KV_CACHE = {"num_bits": 8, "type": "float", "strategy": "tensor", "dynamic": False, "symmetric": True}
