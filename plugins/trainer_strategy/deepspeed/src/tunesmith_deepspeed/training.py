"""A model in training by DeepSpeed's engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from tunesmith_deepspeed import state
from tunesmith_torch.api.training import TorchTraining, whole_parameters


class ZeroTraining(TorchTraining):
    """Args:
    engine: DeepSpeed's.
    optimizer: the one that DeepSpeed steps with.
    gathered: `deepspeed.zero.GatheredParameters`, with stage 3.
    decisions: what was chosen, and why.
    """

    def __init__(
        self, engine: Any, optimizer: torch.optim.Optimizer, gathered: Callable[..., AbstractContextManager[Any]] | None,
        decisions: Sequence[tuple[str, str]],
    ) -> None:  # fmt: skip
        super().__init__(engine.module, optimizer, module=engine)
        self.engine, self.zero, self.gathered, self.decisions = engine, engine.optimizer, gathered, decisions
        self.first, self.count = dist.get_rank() == 0, dist.get_world_size()

    def forward_backward(self, batches: Sequence[Any], loss: Callable[[torch.Tensor, int], torch.Tensor]) -> None:
        """DeepSpeed takes the mean of the ranks' gradients, where their sum is wanted."""
        for number, batch in enumerate(batches):
            self.engine.set_gradient_accumulation_boundary(number == len(batches) - 1)
            self.engine.backward(loss(self.engine(batch), number) * self.count, scale_wrt_gas=False)

    def clip(self, limit: float) -> float:
        """The norm; gradients are clipped in the step, by the limit that is left here."""
        self.zero.clip_grad = max(limit, 0.0)
        if self.gathered is None:
            norm = self.zero.scaled_global_norm()
        else:
            from deepspeed.runtime.utils import combine_grad_norm_groups

            norm = combine_grad_norm_groups(self.zero._get_norm_groups())
        return float(norm)

    def step(self) -> None:
        self.engine.step()

    def zero_grad(self) -> None:
        self.zero.zero_grad(set_to_none=True)

    def whole(self) -> AbstractContextManager[torch.nn.Module]:
        return nullcontext(self.model) if self.gathered is None else whole_parameters(self.model, self._gather, first=self.first)

    def _gather(self, parameter: torch.nn.Parameter) -> torch.Tensor:
        assert self.gathered is not None
        with self.gathered([parameter]):
            return parameter.detach().cpu().clone() if self.first else parameter

    def save_state(self, directory: Path, *, optimizer: bool = True) -> None:
        state.save(self.model, self.zero, self.optimizer.state if optimizer else None, directory, self.engine.device)

    def load_state(self, directory: Path) -> None:
        state.load(self.model, self.zero, self.optimizer, directory, self._to_change)

    def _to_change(self, parameter: torch.nn.Parameter) -> AbstractContextManager[Any]:
        return nullcontext() if self.gathered is None else self.gathered([parameter], modifier_rank=0)
