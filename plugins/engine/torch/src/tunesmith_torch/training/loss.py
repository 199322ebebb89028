"""What a batch of groups comes to on this rank: loss and metrics."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from tunesmith.contracts import Adapter, Penalising, Training
from tunesmith_torch.api import Group, LogProbs, LossSum, Objective
from tunesmith_torch.data.packing import Packed, nothing, pack
from tunesmith_torch.training.trainable_model import TrainableModel

PENALTY = "penalty"  #: the metric: what an adapter adds to the loss, which itself stays the objective's


class MicroBatches(Sequence[Packed]):
    """Micro-batches of groups, packed when they are asked for; `under_way` is the one that was asked for last."""

    def __init__(self, groups: Sequence[Sequence[Group]], trainable: TrainableModel, device: torch.device) -> None:
        self.groups, self.under_way = groups, 0
        self._trainable, self._device = trainable, device

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, at):  # type: ignore[no-untyped-def]
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        groups = self.groups[at]
        self.under_way = at
        if not groups:
            return nothing(self._device)
        sequences = (sequence for group in groups for sequence in group.sequences)
        return pack(sequences, self._device, share=self._trainable.packed, inputs_of=self._trainable.inputs_of)


class BatchLoss:
    """An objective's loss under a model in training.

    Args:
        example: a group, of which the objective is asked what it reports.
    """

    def __init__(self, training: Training, objective: Objective, adapter: Adapter, device: torch.device, example: Group) -> None:
        self.training, self.objective, self.adapter, self.device = training, objective, adapter, device
        self.trainable: TrainableModel = training.model
        self.reported = self._reported(example)
        self.metrics = self.reported + ([PENALTY] if isinstance(adapter, Penalising) else [])

    def nothing(self) -> torch.Tensor:
        """(1 + metrics,) zeros: the sums over no group."""
        return torch.zeros(1 + len(self.metrics), device=self.device)

    def micro_batches(self, groups: Sequence[Sequence[Group]]) -> MicroBatches:
        """Those of `groups`, one each."""
        return MicroBatches(groups, self.trainable, self.device)

    def train(
        self, output: torch.Tensor, groups: Sequence[Group], reference: torch.Tensor | None, weight: float, *, penalised: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """For a micro-batch of a batch of `weight`: a scalar with the gradients to take, and (1 + metrics,) the summed loss and metrics.

        Args:
            output: (labels,) log-probabilities, with gradients.
            penalised: with the adapter's penalty, which is there once in a batch.
        """
        penalty = self._penalty(penalised)
        if not groups:
            return output.sum() * 0 + sum(penalty), self.nothing()
        result = self._result(output, groups, reference)
        noted = torch.stack([*self._sums(result), *(term.detach() * weight for term in penalty)])
        return result.total / weight + sum(penalty), noted

    @torch.no_grad()
    def judge(self, groups: Sequence[Group]) -> torch.Tensor:
        """(1 + reported,) the sums of the loss and what the objective reports, in evaluation mode."""
        batches = self.micro_batches([groups])
        (output,), references = self.training.forward(batches), self.references(batches)
        if not groups:
            return torch.zeros(1 + len(self.reported), device=self.device)
        return torch.stack(self._sums(self._result(output, groups, references[0])))

    @torch.no_grad()
    def references(self, batches: MicroBatches) -> Sequence[torch.Tensor | None]:
        """What the model before training gives for each micro-batch; Nones where the objective does not ask."""
        if not self.objective.needs_reference:
            return [None] * len(batches)
        with self.trainable.before_training(self.adapter):
            return self.training.forward(batches)

    def _result(self, output: torch.Tensor, groups: Sequence[Group], reference: torch.Tensor | None) -> LossSum:
        lengths = [sum(sequence.labels[1:]) for group in groups for sequence in group.sequences]
        return self.objective.loss(LogProbs(output, reference, lengths, groups))

    def _sums(self, result: LossSum) -> list[torch.Tensor]:
        return [result.total.detach(), *(result.metrics[name].detach().float() for name in self.reported)]

    def _penalty(self, asked: bool) -> list[torch.Tensor]:
        """The adapter's, zero where it is not asked for; empty for an adapter that has none."""
        if not isinstance(self.adapter, Penalising):
            return []
        return [self.adapter.penalty(self.trainable.model).float() if asked else torch.zeros((), device=self.device)]

    def _reported(self, group: Group) -> list[str]:
        """The names of what the objective reports: asked of one group, because a rank without any must add zeros for the same ones."""
        lengths = pack(group.sequences).lengths
        values = torch.zeros(sum(lengths), device=self.device)
        return sorted(self.objective.loss(LogProbs(values, values, lengths, [group])).metrics)
