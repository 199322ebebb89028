"""APOLLO (Zhu et al., arXiv:2412.05270): the gradient's own direction, with step sizes as Adam would have them.

The gradient is seen in `rank` random directions, and Adam's means are kept of that. How much longer Adam's direction is there than the
gradient, for each channel (row or column of the longer side) or for the whole matrix, is what the gradient is multiplied with. A step that
is more than 1.01 times as long as the last one is shortened to that (the limiter of Fira, arXiv:2410.01623).

The directions are normal, of variance 1 / rank, and drawn in each step from a seed that is kept: in `update_proj_gap` steps the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from tunesmith_galore.projected_adamw import Projected, State, groups_of, tall
from tunesmith_galore.settings import ApolloSettings
from tunesmith_torch.api import Trained

GROWTH = 1.01  # most by which a step may be longer than the last
TINY = 1e-8
DRAWS = 15  # numbers drawn from a seed, the last of which is the next seed, as in the authors' code


class Apollo:
    """The optimizer `apollo`."""

    def __init__(self, settings: ApolloSettings) -> None:
        self.settings = settings

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> torch.optim.Optimizer:
        settings = self.settings
        groups = groups_of(parameters, settings.rank, learning_rate, settings.weight_decay)
        return RandomDirections(
            groups, betas=(settings.beta1, settings.beta2), epsilon=settings.eps, interval=settings.update_proj_gap, scale=settings.scale,
            per_channel=settings.scale_type == "channel",
        )  # fmt: skip


class RandomDirections(Projected):
    def __init__(self, groups: list[dict[str, Any]], *, scale: float, per_channel: bool, **settings: Any) -> None:
        super().__init__(groups, **settings)
        self.factor, self.per_channel = math.sqrt(scale), per_channel

    def reduced(self, gradient: torch.Tensor, state: State, group: dict[str, Any], place: int) -> torch.Tensor:
        done = int(state["step"])
        if done == 0:
            state["seed"] = torch.tensor(place + 1)
        elif done % group["interval"] == 0:
            state["seed"] = next_seed(state["seed"])
        drawn = torch.Generator(gradient.device).manual_seed(int(state["seed"]))
        if tall(gradient):
            return gradient @ self._directions((group["rank"], gradient.shape[1]), group["rank"], drawn, gradient).T
        return self._directions((gradient.shape[0], group["rank"]), group["rank"], drawn, gradient).T @ gradient

    def _directions(self, shape: tuple[int, int], rank: int, drawn: torch.Generator, like: torch.Tensor) -> torch.Tensor:
        return (torch.randn(shape, generator=drawn, device=like.device) / math.sqrt(rank)).to(like.dtype)

    def restored(
        self, direction: torch.Tensor, reduced: torch.Tensor, gradient: torch.Tensor, state: State, group: dict[str, Any]
    ) -> torch.Tensor:
        if self.per_channel:
            side = 1 if tall(gradient) else 0
            factors = direction.norm(dim=side, keepdim=True) / (reduced.norm(dim=side, keepdim=True) + TINY)
        else:
            factors = direction.norm() / (reduced.norm() + TINY)
        scaled = gradient * factors
        length = scaled.norm()
        if "length" in state:
            shorter = torch.clamp(length / (state["length"] + TINY), min=GROWTH) / GROWTH
            scaled, length = scaled / shorter, length / shorter
        state["length"] = length
        return scaled.mul_(self.factor)


def next_seed(seed: torch.Tensor) -> torch.Tensor:
    drawn = torch.Generator().manual_seed(int(seed))
    return torch.randint(0, torch.iinfo(torch.int64).max, (DRAWS,), generator=drawn)[-1].clone()
