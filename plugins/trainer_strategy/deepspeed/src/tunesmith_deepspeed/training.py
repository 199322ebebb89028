"""A model in training by DeepSpeed's engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from tunesmith.contracts.kinds.trainer_strategy import Output
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
        self.first, self.count, self.scale = dist.get_rank() == 0, dist.get_world_size(), 1.0

    def forward(self, batches: Sequence[Any]) -> list[Output]:
        """Stage 3 fetches parameters ahead, in the order of the passes before: these may go another way than training, without the adapter,
        say."""
        self._forget_order()
        try:
            return super().forward(batches)
        finally:
            self._forget_order()

    def forward_backward(self, batches: Sequence[Any], loss: Callable[[Output, int], torch.Tensor]) -> None:
        """DeepSpeed takes the mean of the ranks' gradients, where their sum is wanted."""
        for number, batch in enumerate(batches):
            self.engine.set_gradient_accumulation_boundary(number == len(batches) - 1)
            self.engine.backward(loss(self.engine(batch), number) * self.count, scale_wrt_gas=False)

    def clip(self, limit: float, scale: float = 1.0) -> float:
        """The norm; gradients are divided and clipped in the step, by the scale and the limit that are left here."""
        self.zero.clip_grad, self.scale = max(limit, 0.0), scale
        from deepspeed.runtime.utils import combine_grad_norm_groups, is_invalid_grad_norm

        if self.gathered is None:
            norm = self.zero.scaled_global_norm()
        else:
            norm = combine_grad_norm_groups(self.zero._get_norm_groups())
        return float("inf") if is_invalid_grad_norm(norm) else float(norm) / scale

    def step(self) -> None:
        self.zero.override_loss_scale(self.scale)
        self.engine.step()
        self.zero.override_loss_scale(1.0)  # else the backward pass would multiply, too

    def _forget_order(self) -> None:
        if self.gathered is not None:
            coordinator = self.zero.parameter_offload.get_param_coordinator()
            if not coordinator.is_invalid_trace():
                coordinator._invalidate_trace()

    def zero_grad(self) -> None:
        state.discard(self.zero)

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
