"""From gradients to new parameters: the optimizer and its rate."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from tunesmith_torch.settings import TrainSettings


def make_optimizer(parameters: Iterable[torch.nn.Parameter], settings: TrainSettings, device: torch.device) -> torch.optim.Optimizer:
    """AdamW over `parameters`; norms' weights and biases are not decayed, as everywhere."""
    matrices, vectors = [], []
    for parameter in parameters:
        (matrices if parameter.ndim > 1 else vectors).append(parameter)
    sets = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(
        [s for s in sets if s["params"]], lr=settings.learning_rate, betas=(settings.beta1, settings.beta2),
        fused=device.type in ("cpu", "cuda"),
    )  # fmt: skip


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for parameters in optimizer.param_groups:
        parameters["lr"] = rate
