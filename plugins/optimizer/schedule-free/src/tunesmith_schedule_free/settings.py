"""Settings of the optimizer `schedule-free`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class ScheduleFreeSettings:
    weight_decay: float = setting(
        0.0, "share of a weight that a step takes off it, times the learning rate; never of norms' weights and biases", ge=0
    )
    beta1: float = setting(
        0.9, "where gradients are taken: at this share of the average, the rest is the newest step's", gt=0, lt=1, aliases=("adam_beta1",)
    )
    beta2: float = setting(0.999, "decay of the mean of squared gradients", ge=0, lt=1, aliases=("adam_beta2",))
