"""Muon for layers' matrices (Jordan et al. 2024; Liu et al., arXiv:2502.16982) and AdamW for the rest, both by torch.optim.

A matrix steps along its momentum with all singular values made about 1, times 0.2 sqrt(longer side): then its numbers change as much as by
AdamW, and a rate that suits the one suits the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tunesmith_torch.api import Trained, parameter_groups
from tunesmith_torch_optim.adamw import FUSED
from tunesmith_torch_optim.settings import MuonSettings


class Muon:
    """The optimizer `muon`."""

    def __init__(self, settings: MuonSettings) -> None:
        self.settings = settings

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> torch.optim.Optimizer:
        settings, parts = self.settings, []
        matrices = [one for one in parameters if one.tensor.ndim == 2 and not one.embedding]
        others = [one for one in parameters if one.tensor.ndim != 2 or one.embedding]
        if matrices:
            groups = parameter_groups(matrices, learning_rate=learning_rate, weight_decay=settings.weight_decay)
            parts.append(
                torch.optim.Muon(
                    groups, momentum=settings.momentum, nesterov=settings.nesterov, ns_steps=settings.ns_steps,
                    adjust_lr_fn="match_rms_adamw",
                )
            )  # fmt: skip
        if others:
            groups = parameter_groups(others, learning_rate=learning_rate, weight_decay=settings.weight_decay)
            fused = torch.device(device).type in FUSED
            parts.append(torch.optim.AdamW(groups, betas=(settings.beta1, settings.beta2), fused=fused))
        return Together(parts)


class Together(torch.optim.Optimizer):
    """Optimizers of different parameters as one: their groups and their state are its own."""

    def __init__(self, parts: Sequence[torch.optim.Optimizer]) -> None:
        super().__init__([group for part in parts for group in part.param_groups], {})
        self.parts = parts
        for part in parts:
            part.state = self.state

    def step(self, closure: None = None) -> None:
        for part in self.parts:
            part.step()
