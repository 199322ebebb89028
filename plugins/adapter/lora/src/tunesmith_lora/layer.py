"""A linear layer with a low-rank update beside it.

    y = W x + b + (alpha / r) B A dropout(x)            A: (r, in)    B: (out, r)

(Hu et al., arXiv:2106.09685, section 4.1). W and b are frozen. A begins random, B at zero, so that the model begins as the base.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional


class LoraLinear(torch.nn.Module):
    """`base` with its update.

    Args:
        a, b: initial values of A and B.
    """

    def __init__(self, base: torch.nn.Linear, a: torch.Tensor, b: torch.Tensor, scale: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.base, self.scale, self.dropout = base, scale, dropout
        self.a, self.b = torch.nn.Parameter(a), torch.nn.Parameter(b)
        self.enabled = True
        self.train(base.training)

    @property
    def in_features(self) -> int:
        return self.base.in_features

    @property
    def out_features(self) -> int:
        return self.base.out_features

    @property
    def weight(self) -> torch.Tensor:
        return self.base.weight

    @property
    def bias(self) -> torch.Tensor | None:
        return self.base.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.base(x)
        if not self.enabled:
            return y
        inputs = functional.dropout(x, self.dropout, self.training) if self.dropout else x
        low = functional.linear(inputs.to(y.dtype), self.a.to(y.dtype))
        # one fused product-and-sum: no third tensor of y's size
        return torch.addmm(y.flatten(0, -2), low.flatten(0, -2), self.b.to(y.dtype).t(), alpha=self.scale).view_as(y)

    @torch.no_grad()
    def folded(self) -> torch.Tensor:
        """W with the update in it, computed in float32, of W's type."""
        return (self.base.weight.float() + self.scale * (self.b.float() @ self.a.float())).to(self.base.weight.dtype)


def initial(base: torch.nn.Linear, r: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A as PEFT and the authors' code draw it (uniform, Kaiming with a = sqrt 5, so within +-1/sqrt(in)) and B of zeros, in float32."""
    generator = torch.Generator().manual_seed(seed)
    bound = 1 / math.sqrt(base.in_features)
    a = torch.empty(r, base.in_features).uniform_(-bound, bound, generator=generator)
    return a.to(base.weight.device), torch.zeros(base.out_features, r, device=base.weight.device)
