"""Log-probabilities at labels by an output head that is a matrix, chunk by chunk, with the backward pass by hand (see `log_probs`).

z = softcap(scale (W h + bias)),  p = softmax(z),  L = sum_i g_i log p_i[y_i]
dL/dz_i = g_i (e_y - p_i)          dL/dh = dz W          dL/dW = sum_i dz_i h_i^T
"""

from __future__ import annotations

from typing import Any

import torch

#: of probabilities that a head that trains keeps for the backward pass: those of so many labels are not computed twice
KEPT_BYTES = 128 * 2**20
Outputs = tuple[torch.Tensor, "torch.Tensor | None", "torch.Tensor | None"]


def frozen_head(
    hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, targets: torch.Tensor, rows: int, scale: float, softcap: float,
    with_entropy: bool, with_squares: bool,
) -> Outputs:  # fmt: skip
    """(labels,) float32 log-probabilities, entropies, and logarithms of the sums of squared probabilities; the last two where they are
    asked for, without a gradient.

    Args:
        hidden: (labels, hidden).
        rows: labels at a time.
    """
    return _Frozen.apply(hidden, weight, bias, targets, rows, scale, softcap, with_entropy, with_squares)


def trained_head(
    hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, targets: torch.Tensor, rows: int, scale: float, softcap: float,
    with_entropy: bool, with_squares: bool,
) -> Outputs:  # fmt: skip
    """The same with gradients of `weight` and `bias`."""
    return _Trained.apply(hidden, weight, bias, targets, rows, scale, softcap, with_entropy, with_squares)


class _Frozen(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, targets: torch.Tensor, rows: int, scale: float,
        softcap: float, with_entropy: bool, with_squares: bool,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:  # fmt: skip
        """Values, and the entropy and the logarithm of the sum of squares where they are asked for."""
        values = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
        entropy = torch.empty_like(values) if with_entropy else None
        squares = torch.empty_like(values) if with_squares else None
        slopes = torch.empty(hidden.shape, dtype=weight.dtype, device=hidden.device) if ctx.needs_input_grad[0] else None
        with torch.autocast(hidden.device.type, enabled=False):
            for start in range(0, len(targets), rows):
                part = slice(start, start + rows)
                chunk, wanted = hidden[part].to(weight.dtype), targets[part, None]
                logits = _logits(chunk, weight, bias, scale, softcap)
                bend = (1 - (logits / softcap).square_()).mul_(scale) if softcap and slopes is not None else scale
                logs = torch.log_softmax(logits, dim=1)
                values[part] = logs.gather(1, wanted).squeeze(1)
                if slopes is None and entropy is None and squares is None:
                    continue
                slope = logs.exp() if entropy is not None else logs.exp_()
                if entropy is not None:
                    entropy[part] = torch.einsum("lv,lv->l", slope, logs).neg_()
                if squares is not None:
                    squares[part] = torch.einsum("lv,lv->l", slope, slope).log_()
                if slopes is None:
                    continue
                # p - e_y: the sign is turned where there are fewer numbers
                slope.scatter_add_(1, wanted, torch.full_like(wanted, -1, dtype=slope.dtype))
                if softcap or scale != 1.0:
                    slope *= bend
                slopes[part] = (slope.to(weight.dtype) @ weight).neg_()
        if slopes is not None:
            ctx.save_for_backward(slopes)
        ctx.dtype = hidden.dtype
        ctx.mark_non_differentiable(*(measured for measured in (entropy, squares) if measured is not None))
        return values, entropy, squares

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (slopes,) = ctx.saved_tensors
        return (slopes * gradients[0][:, None]).to(ctx.dtype), *[None] * 8


class _Trained(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, targets: torch.Tensor, rows: int, scale: float,
        softcap: float, with_entropy: bool, with_squares: bool,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:  # fmt: skip
        device = hidden.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weight.dtype
        matrix, added = weight.detach().to(dtype), None if bias is None else bias.detach().to(dtype)
        values = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
        entropy = torch.empty_like(values) if with_entropy else None
        squares = torch.empty_like(values) if with_squares else None
        kept: list[torch.Tensor] = []
        most = 0 if softcap else KEPT_BYTES // (4 * len(weight) * rows)
        with torch.autocast(device, enabled=False):
            for start in range(0, len(targets), rows):
                part = slice(start, start + rows)
                logs = torch.log_softmax(_logits(hidden[part].to(dtype), matrix, added, scale, softcap), dim=1)
                values[part] = logs.gather(1, targets[part, None]).squeeze(1)
                if len(kept) >= most and entropy is None and squares is None:
                    continue
                shares = logs.exp() if entropy is not None else logs.exp_()
                if entropy is not None:
                    entropy[part] = torch.einsum("lv,lv->l", shares, logs).neg_()
                if squares is not None:
                    squares[part] = torch.einsum("lv,lv->l", shares, shares).log_()
                if len(kept) < most:
                    kept.append(shares)
        ctx.save_for_backward(hidden, matrix, bias, targets, *kept)
        ctx.rows, ctx.scale, ctx.softcap, ctx.type = rows, scale, softcap, weight.dtype
        ctx.mark_non_differentiable(*(measured for measured in (entropy, squares) if measured is not None))
        return values, entropy, squares

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        hidden, weight, bias, targets, *kept = ctx.saved_tensors
        added = None if bias is None else bias.to(weight.dtype)
        by_hidden = torch.empty(hidden.shape, dtype=weight.dtype, device=hidden.device)
        by_weight = torch.zeros(weight.shape, dtype=ctx.type, device=weight.device)
        by_bias = None if bias is None else torch.zeros_like(bias)
        for number, start in enumerate(range(0, len(targets), ctx.rows)):
            part = slice(start, start + ctx.rows)
            chunk, wanted, given = hidden[part].to(weight.dtype), targets[part, None], gradients[0][part, None]
            bend = None
            if number < len(kept):
                slope = kept[number] * -given
            else:
                logits = _logits(chunk, weight, added, ctx.scale, ctx.softcap)
                if ctx.softcap:
                    bend = (1 - (logits / ctx.softcap).square_()).mul_(ctx.scale)
                slope = torch.softmax(logits, dim=1).mul_(-given)
            slope.scatter_add_(1, wanted, given.to(slope.dtype))
            if bend is not None or ctx.scale != 1.0:
                slope *= ctx.scale if bend is None else bend
            narrow = slope.to(weight.dtype)
            torch.mm(narrow, weight, out=by_hidden[part])
            if weight.dtype == ctx.type:
                by_weight.addmm_(narrow.t(), chunk)
            else:
                by_weight += narrow.t() @ chunk
            if by_bias is not None:
                by_bias += slope.sum(0)
        return by_hidden.to(hidden.dtype), by_weight, by_bias, *[None] * 6


def _logits(
    hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, scale: float, softcap: float
) -> torch.Tensor:  # fmt: skip
    """(labels, vocabulary) float32."""
    logits = torch.nn.functional.linear(hidden, weight, bias).float()
    if scale != 1.0:
        logits *= scale
    return torch.tanh_(logits.div_(softcap)).mul_(softcap) if softcap else logits
