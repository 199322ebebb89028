"""The learning rate of each step: which schedule, and its share of the highest rate."""

from __future__ import annotations

import math

import torch

from tunesmith.contracts import Step
from tunesmith_torch.api import Optimizer, OwnSchedule
from tunesmith_torch.settings import TrainSettings

USUAL = "cosine"  #: the schedule, where neither the user nor the optimizer names one
RANGE_TEST = "lr_range_test"
RANGE = 1e5  #: by how much the rate rises in a range test


def rate(schedule: str, step: int, steps: int, warmup: float) -> float:
    """Share of the highest rate at `step` (from 0) of `steps`.

    It rises over ``ceil(warmup * steps)`` steps, the first of which already learns something, then falls to zero along half a cosine
    (Loshchilov and Hutter, arXiv:1608.03983) or a line, or stays. In a range test (Smith, arXiv:1506.01186) it rises all the time, by the
    same factor at each step.
    """
    if schedule == RANGE_TEST:
        return RANGE ** ((step + 1) / steps - 1)
    rising = math.ceil(warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    done = (step - rising) / max(1, steps - rising)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1.0 - done if schedule == "linear" else 1.0


def chosen_schedule(step: Step, settings: TrainSettings, optimizer: Optimizer) -> str:
    """The schedule of the learning rate: the user's, the optimizer's, or the usual one."""
    if settings.lr_scheduler_type != "auto":
        return settings.lr_scheduler_type
    if isinstance(optimizer, OwnSchedule):
        step.decide(f"schedule {optimizer.schedule()}", "the optimizer asks for it")
        return optimizer.schedule()
    return USUAL


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for parameters in optimizer.param_groups:
        parameters["lr"] = rate * parameters.get("rate", 1.0)
