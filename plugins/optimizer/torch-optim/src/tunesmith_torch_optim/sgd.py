"""Stochastic gradient descent with momentum, by torch.optim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tunesmith.contracts import UserError
from tunesmith_torch.api import Trained, parameter_groups
from tunesmith_torch_optim.settings import SGDSettings


class SGD:
    """The optimizer `sgd`.

    Raises:
        UserError: TS-TRAIN-051 where it is to look ahead along no momentum.
    """

    def __init__(self, settings: SGDSettings) -> None:
        if settings.nesterov and not settings.momentum:
            raise UserError(
                "TS-TRAIN-051", "`nesterov` needs a `momentum`", why="It looks ahead along the momentum, which is 0.",
                fix="Set `momentum` to 0.9, or leave `nesterov` out.",
            )  # fmt: skip
        self.settings = settings

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> torch.optim.Optimizer:
        groups = parameter_groups(parameters, learning_rate=learning_rate, weight_decay=self.settings.weight_decay)
        return torch.optim.SGD(groups, momentum=self.settings.momentum, nesterov=self.settings.nesterov)
