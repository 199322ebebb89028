"""Validation while training: the loss and the metrics of rows that are not trained on."""

from __future__ import annotations

import random

import torch

from tunesmith.contracts import Mesh, Step, TrainerStrategy
from tunesmith_torch.data.micro_batch import micro_batches
from tunesmith_torch.data.truncation import TruncatedRows
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.loss import BatchLoss

LOSS = "validation_loss"
_PREFIX = "validation_"


def validation_split(rows: int, share: float, seed: int) -> list[int]:
    """Which rows are kept for validation, in their order: at least one, at least one is left."""
    count = min(max(1, round(share * rows)), rows - 1) if share else 0
    return sorted(random.Random(f"validation {seed}").sample(range(rows), max(0, count)))


class Validation:
    """The loss and the objective's metrics over `groups`, on all ranks together."""

    def __init__(
        self, step: Step, settings: TrainSettings, groups: TruncatedRows | None, batch_loss: BatchLoss, strategy: TrainerStrategy,
        mesh: Mesh,
    ) -> None:  # fmt: skip
        self.step, self.settings, self.groups = step, settings, groups or ()
        self.batch_loss, self.strategy = batch_loss, strategy
        tokens = settings.max_tokens_per_microbatch
        self.micros = micro_batches(groups.sizes, mesh.data_size, tokens)[mesh.data_rank] if groups else []
        self.weight = sum(batch_loss.objective.weight(group) for group in self.groups)

    def due(self, steps: int, per_epoch: int, total: int) -> bool:
        """Whether it is asked for after so many steps."""
        return bool(self.groups) and (steps == total or steps % (self.settings.eval_steps or per_epoch) == 0)

    def measure(self) -> dict[str, float]:
        """Names with ``validation_`` before them."""
        sums = torch.zeros(1 + len(self.batch_loss.reported), device=self.batch_loss.device)
        for number, micro in enumerate(self.micros):
            self.step.check_cancelled()
            self.step.progress(number, len(self.micros), what="validate", unit="passes")
            sums += self.batch_loss.judge([self.groups[i] for i in micro])
        self.step.progress(len(self.micros), len(self.micros), what="validate", unit="passes")
        values = (self.strategy.sum(sums) / self.weight).tolist()
        return {_PREFIX + name: value for name, value in zip(("loss", *self.batch_loss.reported), values, strict=True)}
