"""GaLore (Zhao et al., arXiv:2403.03507): Adam in the directions where a matrix's gradients are largest.

G (rows, columns) with rows >= columns is seen as R = G P^T; P (rank, columns) are the first right singular vectors of the gradient in the
step where they were last found. With fewer rows than columns it is R = P^T G, P (rows, rank) the first left ones. The step is `scale` times
the way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tunesmith_galore.projected_adamw import Projected, State, groups_of, tall
from tunesmith_galore.settings import GaloreSettings
from tunesmith_torch.api import Trained


class Galore:
    """The optimizer `galore`."""

    def __init__(self, settings: GaloreSettings) -> None:
        self.settings = settings

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> torch.optim.Optimizer:
        settings = self.settings
        groups = groups_of(parameters, settings.rank, learning_rate, settings.weight_decay)
        return SingularDirections(
            groups, betas=(settings.beta1, settings.beta2), epsilon=settings.eps, interval=settings.update_proj_gap, scale=settings.scale
        )


class SingularDirections(Projected):
    def __init__(self, groups: list[dict[str, Any]], *, scale: float, **settings: Any) -> None:
        super().__init__(groups, **settings)
        self.scale = scale

    def reduced(self, gradient: torch.Tensor, state: State, group: dict[str, Any], place: int) -> torch.Tensor:
        if int(state["step"]) % group["interval"] == 0:
            left, _, right = torch.linalg.svd(gradient.float(), full_matrices=False)
            found = right[: group["rank"]] if tall(gradient) else left[:, : group["rank"]]
            state["directions"] = found.to(gradient.dtype).contiguous()
        return gradient @ state["directions"].T if tall(gradient) else state["directions"].T @ gradient

    def restored(
        self, direction: torch.Tensor, reduced: torch.Tensor, gradient: torch.Tensor, state: State, group: dict[str, Any]
    ) -> torch.Tensor:
        back = direction @ state["directions"] if tall(gradient) else state["directions"] @ direction
        return back.mul_(self.scale)
