"""Settings of the optimizer `lion`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class LionSettings:
    weight_decay: float = setting(
        0.0, "share of a weight that a step takes off it, times the learning rate; never of norms' weights and biases", ge=0
    )
    beta1: float = setting(
        0.9, "share of the momentum in a step's direction, the rest is the gradient's", ge=0, lt=1, aliases=("adam_beta1",)
    )
    beta2: float = setting(0.99, "decay of the momentum", ge=0, lt=1, aliases=("adam_beta2",))
