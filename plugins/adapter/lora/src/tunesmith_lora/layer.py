"""A linear layer with a low-rank update beside it.

    y = W x + b + (alpha / r) B A dropout(x)            A: (r, in)    B: (out, r)

(Hu et al., arXiv:2106.09685, section 4.1). W and b are frozen. A begins random, B at zero, so that the model begins as the base. Where the
two begin as something else, what they began as is taken off again, so that it begins as the base all the same:

    y = W x + b + scale (B A - B0 A0) dropout(x)

Begun as the largest singular directions of W this is PiSSA (Meng et al., arXiv:2404.02948, section 3), whose residual matrix W - B0 A0 is
never made: a frozen matrix stays as it is, quantized ones, too, and the update is a plain LoRA of twice the rank.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional

from tunesmith_torch.api.layers import Update, sizes


class LoraLinear(torch.nn.Module):
    """`base` with its update.

    Args:
        base: a linear layer, however it keeps its matrix.
        a, b: initial values of A and B.
        from_start: the update is what A and B have become since then.
    """

    def __init__(
        self, base: Any, a: torch.Tensor, b: torch.Tensor, scale: float, dropout: float = 0.0, from_start: bool = False
    ) -> None:  # fmt: skip
        super().__init__()
        self.base, self.scale, self.dropout = base, scale, dropout
        self.a, self.b = torch.nn.Parameter(a), torch.nn.Parameter(b)
        self.register_buffer("a0", a.clone() if from_start else None, persistent=False)
        self.register_buffer("b0", b.clone() if from_start else None, persistent=False)
        self.enabled = True
        self.train(base.training)

    @property
    def in_features(self) -> int:
        return sizes(self.base)[0]

    @property
    def out_features(self) -> int:
        return sizes(self.base)[1]

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
        a, b = self.update()
        low = functional.linear(inputs.to(y.dtype), a.to(y.dtype))
        # one fused product-and-sum: no third tensor of y's size
        return torch.addmm(y.flatten(0, -2), low.flatten(0, -2), b.to(y.dtype).t(), alpha=self.scale).view_as(y)

    @property
    def plain(self) -> bool:
        """Whether it does no more than `low_rank` says, and nobody listens to it."""
        return not ((self.dropout and self.training) or self._forward_hooks)

    def low_rank(self) -> Update | None:
        """For an engine that runs several layers as one."""
        return Update(*self.update(), self.scale) if self.enabled else None

    def update(self) -> tuple[torch.Tensor, torch.Tensor]:
        """A and B of the plain LoRA that this is: of the double rank if it counts from its start."""
        if self.a0 is None:
            return self.a, self.b
        return torch.cat([self.a, self.a0]), torch.cat([self.b, -self.b0], dim=1)

    @torch.no_grad()
    def change(self) -> torch.Tensor:
        """(out, in) float32: what the update adds to W."""
        a, b = self.update()
        return self.scale * (b.float() @ a.float())


def kaiming(base: Any, r: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A as PEFT and the authors' code draw it (uniform, Kaiming with a = sqrt 5, so within +-1/sqrt(in)) and B of zeros, in float32."""
    generator = torch.Generator().manual_seed(seed)
    inputs, outputs = sizes(base)
    bound = 1 / math.sqrt(inputs)
    a = torch.empty(r, inputs).uniform_(-bound, bound, generator=generator)
    return a.to(base.weight.device), torch.zeros(outputs, r, device=base.weight.device)


@torch.no_grad()
def principal(weight: torch.Tensor, r: int, seed: int, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A and B, in float32, with ``scale B A`` the part of `weight` in its r largest singular directions, found by random projection (Halko
    et al., arXiv:0909.4061, with four power iterations) drawn from `seed`."""
    with torch.random.fork_rng(devices=[weight.device] if weight.is_cuda else []):
        torch.manual_seed(seed)
        u, s, v = torch.svd_lowrank(weight, q=min(r + 8, *weight.shape), niter=4)
    root = (s[:r] / scale).sqrt()
    return (v[:, :r] * root).t().contiguous(), (u[:, :r] * root).contiguous()
