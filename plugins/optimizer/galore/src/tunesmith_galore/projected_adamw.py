"""AdamW with a way to see some matrices' gradients in few directions: what GaLore and APOLLO have in common.

    step size  s = rate sqrt(1 - beta2^t) / (1 - beta1^t)
    means      m <- beta1 m + (1 - beta1) r,   v <- beta2 v + (1 - beta2) r^2    r: the gradient, or what `reduced` gives for it
    step       w <- w - s d,   then   w <- w - rate decay w                      d: m / (sqrt(v) + epsilon), or `restored` of it

All that is kept lies in `state` as tensors.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch

from tunesmith_torch.api import Trained, parameter_groups

State = dict[str, torch.Tensor]


def groups_of(parameters: Sequence[Trained], rank: int, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """Parameter groups with ``rank``: 0 for what is not projected (embeddings, vectors, matrices that are narrow already)."""
    wide = [one for one in parameters if one.tensor.ndim == 2 and not one.embedding and min(one.tensor.shape) > rank]
    names = {one.name for one in wide}
    made = []
    for these, own in ((wide, rank), ([one for one in parameters if one.name not in names], 0)):
        made += [{**group, "rank": own} for group in parameter_groups(these, learning_rate=learning_rate, weight_decay=weight_decay)]
    return made


class Projected(torch.optim.Optimizer, ABC):
    """AdamW; `reduced` and `restored` say how matrices of a group with a rank are seen."""

    def __init__(self, groups: list[dict[str, Any]], *, betas: tuple[float, float], epsilon: float, interval: int) -> None:
        super().__init__(groups, {"betas": betas, "eps": epsilon, "interval": interval})
        self.places = {one: place for place, one in enumerate(p for group in self.param_groups for p in group["params"])}

    @abstractmethod
    def reduced(self, gradient: torch.Tensor, state: State, group: dict[str, Any], place: int) -> torch.Tensor:
        """The (rows, columns) gradient in few directions: (rows, rank) or (rank, columns), whichever side is longer.

        Args:
            state: of the parameter; ``step`` counts the steps before this one.
            place: the parameter's number.
        """

    @abstractmethod
    def restored(
        self, direction: torch.Tensor, reduced: torch.Tensor, gradient: torch.Tensor, state: State, group: dict[str, Any]
    ) -> torch.Tensor:
        """The step's direction as wide as the gradient, from the one in few directions."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is not None:
                    self._move(one, one.grad, group)

    def _move(self, one: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        (beta1, beta2), state = group["betas"], self.state[one]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.int64)
        seen = self.reduced(gradient, state, group, self.places[one]) if group["rank"] else gradient
        if "exp_avg" not in state:
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(seen), torch.zeros_like(seen)
        state["step"] += 1
        done = int(state["step"])
        mean = state["exp_avg"].mul_(beta1).add_(seen, alpha=1 - beta1)
        square = state["exp_avg_sq"].mul_(beta2).addcmul_(seen, seen, value=1 - beta2)
        direction = mean / square.sqrt().add_(group["eps"])
        if group["rank"]:
            direction = self.restored(direction, seen, gradient, state, group)
        one.add_(direction, alpha=-group["lr"] * math.sqrt(1 - beta2**done) / (1 - beta1**done))
        if group["weight_decay"]:
            one.mul_(1 - group["lr"] * group["weight_decay"])


def tall(matrix: torch.Tensor) -> bool:
    """Whether there are at least as many rows as columns: then it is the columns that are projected."""
    return matrix.shape[0] >= matrix.shape[1]
