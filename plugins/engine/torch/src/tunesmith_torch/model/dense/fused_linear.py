"""Matrix products with frozen matrices and low-rank updates, joined with what comes before and after them; the backward pass by hand.

    y = W n + bias + B A n,  n = norm(x)                           `normed_linear`
    y = r + W h + bias + B A h,  h = x, or act(g) * u of x = [g, u]     `added_linear`

For the backward pass x is kept, a number per token and A n or A h; n and h are computed again. Updates are computed in W's type, their
gradients added up in it and given in theirs.
"""

from __future__ import annotations

from typing import Any

import torch

from tunesmith_torch.model.dense.gated_activation import gated, gated_backward
from tunesmith_torch.model.dense.joint_linear import Joint
from tunesmith_torch.model.dense.rms_norm import Norm, normalise, normalise_backward

Gradients = tuple[torch.Tensor | None, ...]


def normed_linear(x: torch.Tensor, norm: Norm, joint: Joint) -> torch.Tensor:
    """(tokens, out) in W's type, from `x` (tokens, in)."""
    return _NormedLinear.apply(x, norm.weight, joint.weight, joint.bias, joint.a, joint.b, norm.eps, norm.gemma)


def added_linear(rest: torch.Tensor | None, x: torch.Tensor, joint: Joint, activation: str = "") -> torch.Tensor:
    """(tokens, out): `rest`, if there is one, and the product of `x`, gated by `activation` if that is given."""
    return _AddedLinear.apply(rest, x, joint.weight, joint.bias, joint.a, joint.b, activation)


def _product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, rest: torch.Tensor | None = None) -> torch.Tensor:
    if rest is None:
        return torch.nn.functional.linear(x, weight, bias)
    if rest.dtype != x.dtype:
        return rest + torch.nn.functional.linear(x, weight, bias)
    product = torch.addmm(rest, x, weight.t())
    return product if bias is None else product.add_(bias)


def _inward(
    gradient: torch.Tensor, weight: torch.Tensor, a: torch.Tensor | None, b: torch.Tensor | None, wanted: bool = True
) -> tuple[torch.Tensor | None, torch.Tensor | None]:  # fmt: skip
    """Gradients of the product's input and of A times it."""
    by_x = gradient @ weight if wanted else None
    if a is None or b is None:
        return by_x, None
    by_low = gradient @ b.to(weight.dtype)
    if by_x is not None:
        by_x.addmm_(by_low, a.to(weight.dtype))
    return by_x, by_low


def _of_update(
    gradient: torch.Tensor, by_low: torch.Tensor | None, x: torch.Tensor, low: torch.Tensor | None, a: torch.Tensor | None,
    b: torch.Tensor | None,
) -> tuple[torch.Tensor | None, torch.Tensor | None]:  # fmt: skip
    """Gradients of A and B."""
    if a is None or b is None or low is None or by_low is None:
        return None, None
    return (by_low.t() @ x).to(a.dtype), (gradient.t() @ low).to(b.dtype)


class _NormedLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, norm: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, a: torch.Tensor | None,
        b: torch.Tensor | None, eps: float, gemma: bool,
    ) -> torch.Tensor:  # fmt: skip
        with torch.autocast(x.device.type, enabled=False):
            normed, factor = normalise(x, norm, eps, gemma, weight.dtype)
            y, low = _product(normed, weight, bias), None
            if a is not None and b is not None:
                low = normed @ a.to(weight.dtype).t()
                y.addmm_(low, b.to(weight.dtype).t())
        ctx.save_for_backward(x, norm, weight, a, b, factor, low)
        ctx.eps, ctx.gemma = eps, gemma
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Gradients:
        x, norm, weight, a, b, factor, low = ctx.saved_tensors
        of_x, of_norm = ctx.needs_input_grad[:2]
        by_normed, by_low = _inward(gradients[0], weight, a, b, of_x or of_norm)
        normed = normalise(x, norm, ctx.eps, ctx.gemma, weight.dtype, factor)[0] if a is not None else x
        by_a, by_b = _of_update(gradients[0], by_low, normed, low, a, b)
        by_x = by_norm = None
        if by_normed is not None:
            by_x, by_norm = normalise_backward(by_normed, x, norm, factor, ctx.gemma, weight_too=of_norm)
        return by_x, by_norm, None, None, by_a, by_b, None, None


class _AddedLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rest: torch.Tensor | None, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, a: torch.Tensor | None,
        b: torch.Tensor | None, activation: str,
    ) -> torch.Tensor:  # fmt: skip
        with torch.autocast(x.device.type, enabled=False):
            inner = gated(x, activation) if activation else x
            y, low = _product(inner, weight, bias, rest), None
            if a is not None and b is not None:
                low = inner @ a.to(weight.dtype).t()
                if y.dtype == low.dtype:
                    y.addmm_(low, b.to(weight.dtype).t())
                else:
                    y += low @ b.to(weight.dtype).t()
        ctx.save_for_backward(x, weight, a, b, low)
        ctx.activation = activation
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Gradients:
        x, weight, a, b, low = ctx.saved_tensors
        given = gradients[0]
        gradient = given.to(weight.dtype)
        of_rest, of_x = ctx.needs_input_grad[:2]
        by_x, by_low = _inward(gradient, weight, a, b, of_x or bool(ctx.activation))
        inner = x
        if ctx.activation:
            by_x, inner = gated_backward(by_x, x, ctx.activation)
        by_a, by_b = _of_update(gradient, by_low, inner, low, a, b)
        return given if of_rest else None, by_x if of_x else None, None, None, by_a, by_b, None
