"""Lion (Chen et al., arXiv:2302.06675), by lion-pytorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lion_pytorch
import torch

from tunesmith_lion.settings import LionSettings
from tunesmith_torch.api import Trained, parameter_groups


class Lion:
    """The optimizer `lion`."""

    def __init__(self, settings: LionSettings) -> None:
        self.settings = settings

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> torch.optim.Optimizer:
        groups = parameter_groups(parameters, learning_rate=learning_rate, weight_decay=self.settings.weight_decay)
        return lion_pytorch.Lion(groups, lr=learning_rate, betas=(self.settings.beta1, self.settings.beta2))
