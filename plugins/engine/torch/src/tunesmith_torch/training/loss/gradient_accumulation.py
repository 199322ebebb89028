"""The gradients of a batch, added up over its micro-batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from tunesmith.contracts import Mesh, Step, TrainerStrategy, Training
from tunesmith_torch.data.micro_batch import micro_batches
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.batches import Batch
from tunesmith_torch.training.failures.out_of_memory import raise_if_out_of_memory
from tunesmith_torch.training.loss.batch_loss import BatchLoss
from tunesmith_torch.training.loss.certificate import Certificate
from tunesmith_torch.training.report.sample_ledger import check_learnt
from tunesmith_torch.training.seed import seed_everything


@dataclass(frozen=True)
class BatchResult:
    """Loss and metrics of a batch over all ranks, and the objective's state after it.

    Args:
        rows: loss of each group of the batch, in the unit of the batch's; empty where the objective does not tell.
    """

    loss: float
    metrics: Mapping[str, float]
    state: Mapping[str, torch.Tensor]
    rows: Sequence[float] = ()


class GradientAccumulation:
    """Callable: a batch's number, the batch and the objective's state -> what it comes to, over all ranks.

    The gradients are left at the parameters, multiplied by a scale if one is given. Before each batch all generators are seeded with its
    number, so that they don't depend on what came before. That the ranks together learn from each group once is checked.
    """

    def __init__(
        self, step: Step, settings: TrainSettings, strategy: TrainerStrategy, mesh: Mesh, training: Training, batch_loss: BatchLoss,
    ) -> None:  # fmt: skip
        self.step, self.settings, self.strategy, self.mesh, self.training = step, settings, strategy, mesh, training
        self.batch_loss = batch_loss
        self.certificate = Certificate(step, batch_loss)

    def __call__(self, number: int, given: Batch, state: Mapping[str, torch.Tensor], scale: float = 1.0) -> BatchResult:
        batch, sizes = given.groups, given.sizes
        weight = sum(self.batch_loss.objective.weight(group) for group in batch)
        micros = micro_batches(sizes, self.mesh.data_size, self.settings.max_tokens_per_microbatch)[self.mesh.data_rank]
        seed_everything(self.step.seed, "step", number, self.mesh.data_rank)
        batches = self.batch_loss.micro_batches([[batch[i] for i in micro] for micro in micros])
        sums, learnt = self.batch_loss.nothing(), [0.0] * len(batch)
        rows = torch.zeros(2, len(batch), device=sums.device)  # losses, and whether they were told
        try:
            beside, batches = self.batch_loss.beside(batches, micros, len(batch), state, train=True)
            witness = self.certificate.witness(batch, beside)

            def loss(output: Mapping[str, torch.Tensor], at: int) -> torch.Tensor:
                self.step.check_cancelled()
                first = at == 0 and self.mesh.data_rank == 0
                value, noted, own = self.batch_loss.train(output, batches.groups[at], beside, at, weight, penalised=first)
                witness.sees(output, value, at)
                sums.add_(noted)
                for i in micros[at]:
                    learnt[i] += 1
                if own is not None:
                    rows[:, micros[at]] = torch.stack([own, torch.ones_like(own)])
                return value * scale

            self.training.forward_backward(batches, loss)
        except (RuntimeError, MemoryError) as error:
            raise_if_out_of_memory(error, len(micros[batches.under_way]), sum(sizes[i] for i in micros[batches.under_way]))
            raise
        total = self.strategy.sum(torch.cat([sums, torch.tensor(learnt, device=sums.device), *rows]))
        value, metrics = self.batch_loss.means(total[: len(sums)], weight)
        counts, losses, told = total[len(sums) :].reshape(3, -1).tolist()
        check_learnt(number + 1, given.rows, counts)
        witness.check(value, number)
        own = [loss / self.batch_loss.objective.weight(group) for loss, group in zip(losses, batch, strict=True)] if all(told) else []
        return BatchResult(value, metrics, beside.state, own)
