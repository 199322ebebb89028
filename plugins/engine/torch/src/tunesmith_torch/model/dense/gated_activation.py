"""Gated activations, ``act(g) * u`` (Shazeer, arXiv:2002.05202), with their gradients; what they compute on the way is not kept."""

from __future__ import annotations

import torch


def gated(both: torch.Tensor, activation: str) -> torch.Tensor:
    """(tokens, n) from (tokens, 2 n): gate and input side by side."""
    gate, given = both.chunk(2, dim=1)
    return _act(gate, activation).mul_(given)


def gated_backward(gradient: torch.Tensor, both: torch.Tensor, activation: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient of `both`, and ``act(g) * u`` again."""
    gate, given = both.chunk(2, dim=1)
    by_both = torch.empty_like(both)
    by_gate, by_given = by_both.chunk(2, dim=1)
    acted = _act(gate, activation)
    torch.mul(acted, gradient, out=by_given)
    if activation == "silu":
        torch.ops.aten.silu_backward.grad_input(gradient * given, gate, grad_input=by_gate)
    else:
        torch.ops.aten.gelu_backward.grad_input(gradient * given, gate, approximate="tanh", grad_input=by_gate)
    return by_both, acted.mul_(given)


def _act(gate: torch.Tensor, activation: str) -> torch.Tensor:
    if activation == "silu":
        return torch.nn.functional.silu(gate)
    return torch.nn.functional.gelu(gate, approximate="tanh")
