"""From gradients to new parameters: the optimizer and its rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from tunesmith.contracts import Adapter, OwnRates
from tunesmith_torch.settings import TrainSettings


def make_optimizer(
    parameters: Iterable[torch.nn.Parameter], settings: TrainSettings, device: torch.device, rates: Mapping[torch.nn.Parameter, float]
) -> torch.optim.Optimizer:  # fmt: skip
    """AdamW over `parameters`; norms' weights and biases are not decayed, as everywhere.

    Args:
        rates: what the learning rate is multiplied with; 1 for parameters that are not in it.
    """
    sets: dict[tuple[float, float], dict[str, Any]] = {}
    for parameter in parameters:
        decay, own = settings.weight_decay if parameter.ndim > 1 else 0.0, rates.get(parameter, 1.0)
        sets.setdefault((decay, own), {"params": [], "weight_decay": decay, "rate": own})["params"].append(parameter)
    return torch.optim.AdamW(
        list(sets.values()), lr=settings.learning_rate, betas=(settings.beta1, settings.beta2), fused=device.type in ("cpu", "cuda")
    )


def own_rates(adapter: Adapter, model: torch.nn.Module) -> dict[torch.nn.Parameter, float]:
    """What an adapter multiplies the learning rate of some parameters with."""
    named = adapter.rates(model) if isinstance(adapter, OwnRates) else {}
    parameters = dict(model.named_parameters())
    return {parameters[name]: factor for name, factor in named.items()}


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for parameters in optimizer.param_groups:
        parameters["lr"] = rate * parameters["rate"]
