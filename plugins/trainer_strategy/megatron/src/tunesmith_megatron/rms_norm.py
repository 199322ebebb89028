"""RMSNorm as transformers' models have it; Megatron's own knows no `sequence_parallel` without Transformer Engine."""

from __future__ import annotations

from typing import Any

import torch


class RMSNorm(torch.nn.Module):
    """``weight * x / sqrt(mean(x^2) + eps)``, the quotient in float32 (arXiv:1910.07467)."""

    def __init__(self, config: Any, hidden_size: int, eps: float = 1e-6, **_: Any) -> None:
        super().__init__()
        self.eps = eps
        self.weight = torch.nn.Parameter(torch.ones(hidden_size, dtype=config.params_dtype))
        self.weight.sequence_parallel = config.sequence_parallel  # type: ignore[attr-defined]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.float()
        return self.weight * (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)).to(x.dtype)
