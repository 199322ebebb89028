"""AdamW (Loshchilov and Hutter, arXiv:1711.05101), by torch.optim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tunesmith_torch.api import Trained, parameter_groups
from tunesmith_torch_optim.settings import AdamWSettings

FUSED = ("cpu", "cuda")  #: devices on which a step is one pass over the memory


class AdamW:
    """The optimizer `adamw`."""

    def __init__(self, settings: AdamWSettings) -> None:
        self.settings = settings

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> torch.optim.Optimizer:
        settings = self.settings
        groups = parameter_groups(parameters, learning_rate=learning_rate, weight_decay=settings.weight_decay)
        fused = torch.device(device).type in FUSED
        return torch.optim.AdamW(groups, betas=(settings.beta1, settings.beta2), eps=settings.eps, fused=fused)
