"""Schedule-free AdamW (Defazio et al., arXiv:2405.15682), by its authors' library.

Gradients are taken at y = beta1 x + (1 - beta1) z; z makes AdamW's steps, x is the average of the z and what is used after training. The
model holds y while it trains and x after `eval`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import schedulefree
import torch

from tunesmith_schedule_free.settings import ScheduleFreeSettings
from tunesmith_torch.api import Trained, parameter_groups

COURSE = ("k", "weight_sum", "lr_max")  #: what the library keeps of a whole group: steps, the average's weights, the highest rate


class ScheduleFree:
    """The optimizer `schedule-free`."""

    def __init__(self, settings: ScheduleFreeSettings) -> None:
        self.settings = settings

    def schedule(self) -> str:
        return "constant"

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> torch.optim.Optimizer:
        groups = parameter_groups(parameters, learning_rate=learning_rate, weight_decay=self.settings.weight_decay)
        made = Resumable(groups, lr=learning_rate, betas=(self.settings.beta1, self.settings.beta2))
        made.train()
        return made


class Resumable(schedulefree.AdamWScheduleFree):
    """The library's, with all that it keeps in the parameters' state as tensors."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            held = next((self.state[one]["course"] for one in group["params"] if "course" in self.state.get(one, {})), None)
            if held is not None:
                group.update(zip(COURSE, held.tolist(), strict=True))
        super().step()
        for group in self.param_groups:
            course = torch.tensor([group[name] for name in COURSE], dtype=torch.float64)
            for one in group["params"]:
                if "z" in self.state.get(one, {}):
                    self.state[one]["course"] = course.clone()  # a checkpoint takes no tensor twice
