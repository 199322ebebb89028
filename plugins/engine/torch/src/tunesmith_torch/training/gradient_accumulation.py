"""The gradients of a batch, added up over its micro-batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunesmith.contracts import Step, TrainerStrategy
from tunesmith_torch.data.micro_batch import micro_batches
from tunesmith_torch.data.truncation import TruncatedRows
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.loss import BatchLoss
from tunesmith_torch.training.out_of_memory import out_of_memory_errors
from tunesmith_torch.training.seed import seed_everything


class GradientAccumulation:
    """Callable: a batch's number and the places of its groups -> its loss and metrics, over all ranks.

    The gradients are left at the parameters. Before each batch all generators are seeded with its number, so that they don't depend on
    what came before.
    """

    def __init__(
        self, step: Step, settings: TrainSettings, strategy: TrainerStrategy, module: Any, batch_loss: BatchLoss, groups: TruncatedRows
    ) -> None:  # fmt: skip
        self.step, self.settings, self.strategy, self.module = step, settings, strategy, module
        self.batch_loss, self.groups = batch_loss, groups

    def __call__(self, number: int, chosen: Sequence[int]) -> list[float]:
        batch, sizes = [self.groups[i] for i in chosen], [self.groups.sizes[i] for i in chosen]
        weight = sum(self.batch_loss.objective.weight(group) for group in batch)
        placement = self.step.placement
        micros = micro_batches(sizes, placement.processes, self.settings.max_tokens_per_microbatch)[placement.rank]
        seed_everything(self.step.seed, "step", number, placement.rank)
        sums = self.batch_loss.nothing()
        for position, micro in enumerate(micros):
            self.step.check_cancelled()
            tokens = sum(sizes[i] for i in micro)
            with out_of_memory_errors(len(micro), tokens), self.strategy.accumulating(self.module, last=position == len(micros) - 1):
                first = position == 0 and placement.rank == 0
                sums += self.batch_loss.learn([batch[i] for i in micro], weight, penalised=first)
        return (self.strategy.sum(sums) / weight).tolist()
