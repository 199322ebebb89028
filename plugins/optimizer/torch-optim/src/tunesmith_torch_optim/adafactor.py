"""Adafactor (Shazeer and Stern, arXiv:1804.04235), by torch.optim: a step's size is the learning rate times the parameter's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tunesmith_torch.api import Trained, parameter_groups
from tunesmith_torch_optim.settings import AdafactorSettings


class Adafactor:
    """The optimizer `adafactor`."""

    def __init__(self, settings: AdafactorSettings) -> None:
        self.settings = settings

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> torch.optim.Optimizer:
        groups = parameter_groups(parameters, learning_rate=learning_rate, weight_decay=self.settings.weight_decay)
        return torch.optim.Adafactor(groups, beta2_decay=self.settings.beta2_decay, d=self.settings.clip_threshold)
