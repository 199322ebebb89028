"""Experts whose matrices are one parameter of three dimensions, with a low-rank update beside each matrix.

    W_e + (alpha / r) B_e A_e            A: (experts, r, in)    B: (experts, out, r)

The module that has the parameter does with it what it does, however it brings tokens to experts: while it computes it is given the sum.
PEFT calls this `target_parameters`. There is no dropout: what a sum is multiplied with can't be dropped for one of its terms.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import torch

from tunesmith_torch.api.layers import Stack


class LoraExperts(torch.nn.Module):
    """`base` with updates for some of its parameters.

    Args:
        updates: by the parameter's name: initial values of A and B.
        from_start: the update is what A and B have become since then.
    """

    def __init__(
        self, base: torch.nn.Module, updates: dict[str, tuple[torch.Tensor, torch.Tensor]], scale: dict[str, float],
        from_start: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.base, self.scale, self.transposed = base, scale, bool(getattr(base, "is_transposed", False))
        # in the base's order, which the files go by; a plain mapping would be sorted
        self.a = torch.nn.ParameterDict(OrderedDict((name, torch.nn.Parameter(a)) for name, (a, _) in updates.items()))
        self.b = torch.nn.ParameterDict(OrderedDict((name, torch.nn.Parameter(b)) for name, (_, b) in updates.items()))
        self._start = {name: (a.clone(), b.clone()) for name, (a, b) in updates.items()} if from_start else {}
        self.enabled = True
        self.train(base.training)

    def forward(self, *arguments: Any, **named: Any) -> Any:
        if not self.enabled:
            return self.base(*arguments, **named)
        return torch.func.functional_call(self.base, {name: self._sum(name) for name in self.a}, arguments, named)

    @property
    def reached(self) -> Iterable[torch.nn.Parameter]:
        """The parameters of `base` that are updated."""
        return [getattr(self.base, name) for name in self.a]

    def update(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """A and B of the plain LoRA that this is: of the double rank if it counts from its start."""
        if name not in self._start:
            return self.a[name], self.b[name]
        a0, b0 = self._start[name]
        return torch.cat([self.a[name], a0.to(self.a[name])], dim=1), torch.cat([self.b[name], -b0.to(self.b[name])], dim=2)

    @torch.no_grad()
    def merge(self) -> torch.nn.Module:
        """`base`, with the updates added in float32 to its parameters."""
        for name in self.a:
            weight = getattr(self.base, name)
            a, b = self.update(name)
            change = self.scale[name] * (b.float() @ a.float())
            folded = weight.detach().float() + (change.transpose(1, 2) if self.transposed else change)
            setattr(self.base, name, torch.nn.Parameter(folded.to(weight.dtype), requires_grad=False))
        return self.base

    def _sum(self, name: str) -> torch.Tensor:
        weight = getattr(self.base, name)
        a, b = (factor.to(weight.dtype) for factor in self.update(name))
        left, right = (a.transpose(1, 2), b.transpose(1, 2)) if self.transposed else (b, a)
        return torch.baddbmm(weight, left, right, alpha=self.scale[name])


def kaiming(stack: Stack, r: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """For each expert as for a layer: A uniform within +-1/sqrt(in), B of zeros, in float32."""
    experts, inputs, outputs = stack.sizes
    bound = 1 / math.sqrt(inputs)
    a = torch.empty(experts, r, inputs).uniform_(-bound, bound, generator=torch.Generator().manual_seed(seed))
    device = stack.weight.device
    return a.to(device), torch.zeros(experts, outputs, r, device=device)


def uprights(stack: Stack) -> torch.Tensor:
    """(experts, out, in): the matrices, a view of the parameter."""
    weight = stack.weight.detach()
    return weight.transpose(1, 2) if stack.transposed else weight
