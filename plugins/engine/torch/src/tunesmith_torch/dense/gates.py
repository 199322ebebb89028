"""Gated activations, ``act(g) * u`` (Shazeer, arXiv:2002.05202), with their gradients; what they compute on the way is not kept."""

from __future__ import annotations

import torch

ROWS = 256  # at a time, so that what is computed in float32 stays in the cache


def gated(both: torch.Tensor, activation: str) -> torch.Tensor:
    """(tokens, n) from (tokens, 2 n): gate and input side by side."""
    size = both.shape[1] // 2
    result = both.new_empty(both.shape[0], size)
    for start in range(0, both.shape[0], ROWS):
        part = both[start : start + ROWS]
        if activation == "silu":
            torch.mul(torch.nn.functional.silu(part[:, :size]), part[:, size:], out=result[start : start + ROWS])
        else:
            torch.mul(torch.nn.functional.gelu(part[:, :size], approximate="tanh"), part[:, size:], out=result[start : start + ROWS])
    return result


def gated_backward(gradient: torch.Tensor, both: torch.Tensor, activation: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient of `both`, and ``act(g) * u`` again."""
    size = both.shape[1] // 2
    by_both, result = torch.empty_like(both), both.new_empty(both.shape[0], size)
    for start in range(0, both.shape[0], ROWS):
        rows = slice(start, start + ROWS)
        gate, given, outer = both[rows, :size].float(), both[rows, size:].float(), gradient[rows].float()
        acted, slope = _silu(gate) if activation == "silu" else _gelu_tanh(gate)
        result[rows] = acted * given
        by_both[rows, size:] = acted.mul_(outer)
        by_both[rows, :size] = slope.mul_(outer).mul_(given)
    return by_both, result


def _silu(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """x s and its slope s + x s (1 - s), with s = sigmoid(x)."""
    share = torch.sigmoid(x)
    value = x * share
    return value, share.addcmul_(value, 1 - share)


def _gelu_tanh(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    ones = torch.ones_like(x)
    return torch.nn.functional.gelu(x, approximate="tanh"), torch.ops.aten.gelu_backward(ones, x, approximate="tanh")
