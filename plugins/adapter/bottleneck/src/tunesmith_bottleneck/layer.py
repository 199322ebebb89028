"""The linear layer that ends a block, and a small network after it:

    y = W x + b          out = y + scale * (U f(D y + d) + u)      D: (inner, hidden)    U: (hidden, inner)

(Houlsby et al., arXiv:1902.00751, section 2.1), before the residual connection. W and b are frozen; U and u begin at zero, so that the
model begins as the base.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

ACTIVATIONS = {"relu": functional.relu, "gelu": functional.gelu, "silu": functional.silu}
PARTS = ("down.weight", "down.bias", "up.weight", "up.bias")


class BottleneckLinear(torch.nn.Module):
    """`base` with its network.

    Args:
        weights: initial values of `PARTS`.
    """

    def __init__(
        self, base: Any, weights: dict[str, torch.Tensor], *, activation: str, scale: float, dropout: float = 0.0
    ) -> None:  # fmt: skip
        super().__init__()
        self.base, self.activation, self.scale, self.dropout = base, ACTIVATIONS[activation], scale, dropout
        inner, hidden = weights["down.weight"].shape
        self.down = torch.nn.Linear(hidden, inner, device="meta")
        self.up = torch.nn.Linear(inner, hidden, device="meta")
        for name in PARTS:
            layer, _, part = name.partition(".")
            setattr(getattr(self, layer), part, torch.nn.Parameter(weights[name].to(base.weight.device)))
        self.enabled = True
        self.train(base.training)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.base(x)
        if not self.enabled:
            return y
        inner = self.activation(functional.linear(y, self.down.weight.to(y.dtype), self.down.bias.to(y.dtype)))
        inner = functional.dropout(inner, self.dropout, self.training)
        return y + self.scale * functional.linear(inner, self.up.weight.to(y.dtype), self.up.bias.to(y.dtype))

    def weights(self) -> dict[str, torch.Tensor]:
        return {name: self.get_parameter(name) for name in PARTS}


def start(hidden: int, inner: int, seed: int) -> dict[str, torch.Tensor]:
    """D small and random (normal, 0.02), as its authors begin; the rest zero."""
    down = 0.02 * torch.randn(inner, hidden, generator=torch.Generator().manual_seed(seed))
    return {"down.weight": down, "down.bias": torch.zeros(inner), "up.weight": torch.zeros(hidden, inner), "up.bias": torch.zeros(hidden)}
