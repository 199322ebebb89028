"""Validation while training: the loss and the metrics of rows that are not trained on."""

from __future__ import annotations

import random
from collections.abc import Mapping

import torch

from tunesmith.contracts import Mesh, Step, TrainerStrategy
from tunesmith_torch.data.micro_batch import micro_batches
from tunesmith_torch.data.truncation import TruncatedRows
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.loss.batch_loss import BatchLoss

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
        # What is gathered of a batch is of as many rows as in training; else all are one batch.
        self.together = together = settings.batch_size if batch_loss.asks.gathers else max(1, len(self.groups))
        sizes, tokens = groups.sizes if groups else [], settings.max_tokens_per_microbatch
        starts = range(0, len(self.groups), together)
        self.batches = [(start, micro_batches(sizes[start : start + together], mesh.data_size, tokens)[mesh.data_rank]) for start in starts]
        self.weight = sum(batch_loss.objective.weight(group) for group in self.groups)

    def due(self, steps: int, per_epoch: int, total: int) -> bool:
        """Whether it is asked for after so many steps."""
        return bool(self.groups) and (steps == total or steps % (self.settings.eval_steps or per_epoch) == 0)

    def measure(self, state: Mapping[str, torch.Tensor]) -> dict[str, float]:
        """Names with ``validation_`` before them.

        Args:
            state: of the objective.
        """
        sums = self.batch_loss.nothing(judged=True)
        passes, done = sum(len(micros) for _, micros in self.batches), 0
        for start, micros in self.batches:
            batches = self.batch_loss.micro_batches([[self.groups[start + i] for i in micro] for micro in micros])
            count = min(self.together, len(self.groups) - start)
            beside, batches = self.batch_loss.beside(batches, micros, count, state, train=False)
            for at in range(len(batches)):
                self.step.check_cancelled()
                self.step.progress(done, passes, what="validate", unit="passes")
                sums += self.batch_loss.judge(batches, at, beside)
                done += 1
        self.step.progress(passes, passes, what="validate", unit="passes")
        loss, metrics = self.batch_loss.means(self.strategy.sum(sums), self.weight)
        return {_PREFIX + name: value for name, value in {"loss": loss, **metrics}.items()}
