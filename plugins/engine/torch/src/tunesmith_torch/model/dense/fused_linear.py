"""Matrix products with low-rank updates, joined with what comes before and after them; the backward pass by hand.

    y = W n + bias + B A n,  n = norm(x)                           `normed_linear`
    y = r + W h + bias + B A h,  h = x, or act(g) * u of x = [g, u]     `added_linear`

For the backward pass x is kept, a number per token and A n or A h; n and h are computed again. Updates are computed in the type that the
product is, their gradients added up in it and given in theirs; so are those of matrices that train. A matrix that is kept in fewer bits is
made anew in the backward pass.
"""

from __future__ import annotations

from typing import Any

import torch

from tunesmith_torch.model.dense.gated_activation import gated, gated_backward
from tunesmith_torch.model.dense.joint_linear import Joint
from tunesmith_torch.model.dense.rms_norm import Norm, normalise, normalise_backward

Gradients = tuple[torch.Tensor | None, ...]


def normed_linear(x: torch.Tensor, norm: Norm, joint: Joint) -> torch.Tensor:
    """(tokens, out) in the type of `joint`, from `x` (tokens, in)."""
    return _NormedLinear.apply(x, norm.weight, joint.bias, joint.a, joint.b, joint, norm.eps, norm.gemma, *joint.parameters)


def added_linear(rest: torch.Tensor | None, x: torch.Tensor, joint: Joint, activation: str = "") -> torch.Tensor:
    """(tokens, out): `rest`, if there is one, and the product of `x`, gated by `activation` if that is given."""
    return _AddedLinear.apply(rest, x, joint.bias, joint.a, joint.b, joint, activation, *joint.parameters)


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


def _of_matrices(gradient: torch.Tensor, x: torch.Tensor, joint: Joint) -> Gradients:
    """Of the parameters that train, each a view of one product's rows."""
    if not joint.trains:
        return ()
    together = (gradient.t() @ x).to(joint.parameters[0].dtype)
    return together.split([len(parameter) for parameter in joint.parameters])


def _of_bias(gradient: torch.Tensor, ctx: Any, place: int) -> torch.Tensor | None:
    return gradient.sum(0) if ctx.needs_input_grad[place] else None


class _NormedLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, norm: torch.Tensor, bias: torch.Tensor | None, a: torch.Tensor | None, b: torch.Tensor | None,
        joint: Joint, eps: float, gemma: bool, *parameters: torch.Tensor,
    ) -> torch.Tensor:  # fmt: skip
        weight = joint.weight()
        with torch.autocast(x.device.type, enabled=False):
            normed, factor = normalise(x, norm, eps, gemma, weight.dtype)
            y, low = _product(normed, weight, bias), None
            if a is not None and b is not None:
                low = normed @ a.to(weight.dtype).t()
                y.addmm_(low, b.to(weight.dtype).t())
        ctx.save_for_backward(x, norm, a, b, factor, low, weight if joint.kept else None)
        ctx.joint, ctx.eps, ctx.gemma = joint, eps, gemma
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Gradients:
        x, norm, a, b, factor, low, weight = ctx.saved_tensors
        weight = ctx.joint.weight() if weight is None else weight
        of_x, of_norm = ctx.needs_input_grad[:2]
        by_normed, by_low = _inward(gradients[0], weight, a, b, of_x or of_norm)
        again = a is not None or ctx.joint.trains
        normed = normalise(x, norm, ctx.eps, ctx.gemma, weight.dtype, factor)[0] if again else x
        by_a, by_b = _of_update(gradients[0], by_low, normed, low, a, b)
        by_weights = _of_matrices(gradients[0], normed, ctx.joint)
        by_x = by_norm = None
        if by_normed is not None:
            by_x, by_norm = normalise_backward(by_normed, x, norm, factor, ctx.gemma, weight_too=of_norm)
        return by_x, by_norm, _of_bias(gradients[0], ctx, 2), by_a, by_b, None, None, None, *by_weights


class _AddedLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rest: torch.Tensor | None, x: torch.Tensor, bias: torch.Tensor | None, a: torch.Tensor | None, b: torch.Tensor | None,
        joint: Joint, activation: str, *parameters: torch.Tensor,
    ) -> torch.Tensor:  # fmt: skip
        weight = joint.weight()
        with torch.autocast(x.device.type, enabled=False):
            inner = gated(x, activation) if activation else x
            y, low = _product(inner, weight, bias, rest), None
            if a is not None and b is not None:
                low = inner @ a.to(weight.dtype).t()
                if y.dtype == low.dtype:
                    y.addmm_(low, b.to(weight.dtype).t())
                else:
                    y += low @ b.to(weight.dtype).t()
        ctx.save_for_backward(x, a, b, low, weight if joint.kept else None)
        ctx.joint, ctx.activation = joint, activation
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Gradients:
        x, a, b, low, weight = ctx.saved_tensors
        weight = ctx.joint.weight() if weight is None else weight
        given = gradients[0]
        gradient = given.to(weight.dtype)
        of_rest, of_x = ctx.needs_input_grad[:2]
        by_x, by_low = _inward(gradient, weight, a, b, of_x or bool(ctx.activation))
        inner = x
        if ctx.activation:
            by_x, inner = gated_backward(by_x, x, ctx.activation)
        by_a, by_b = _of_update(gradient, by_low, inner, low, a, b)
        by_weights = _of_matrices(gradient, inner, ctx.joint)
        return given if of_rest else None, by_x if of_x else None, _of_bias(gradient, ctx, 2), by_a, by_b, None, None, *by_weights
