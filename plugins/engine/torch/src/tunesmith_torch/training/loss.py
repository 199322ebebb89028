"""What a batch of groups comes to on this rank: loss, metrics and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tunesmith.contracts import Adapter, Penalising
from tunesmith_torch.api import Group, LogProbs, LossSum, Objective
from tunesmith_torch.data.packing import nothing, pack
from tunesmith_torch.model.log_probs import label_log_probs
from tunesmith_torch.training.trainable_model import TrainableModel, autocast

PENALTY = "penalty"  #: the metric: what an adapter adds to the loss, which itself stays the objective's


class BatchLoss:
    """An objective's loss under a trainable.

    Args:
        module: the trainable as the strategy wrapped it.
        example: a group, of which the objective is asked what it reports.
    """

    def __init__(
        self, trainable: TrainableModel, module: Any, objective: Objective, adapter: Adapter, device: torch.device, example: Group
    ) -> None:  # fmt: skip
        self.trainable, self.module, self.objective, self.adapter, self.device = trainable, module, objective, adapter, device
        self.reported = self._reported(example)
        self.metrics = self.reported + ([PENALTY] if isinstance(adapter, Penalising) else [])

    def nothing(self) -> torch.Tensor:
        """(1 + metrics,) zeros: the sums over no group."""
        return torch.zeros(1 + len(self.metrics), device=self.device)

    def learn(self, groups: Sequence[Group], weight: float, *, penalised: bool = False) -> torch.Tensor:
        """Add to the gradients of the loss over a batch of `weight`; (1 + metrics,) the loss and the metrics, summed over the groups.

        Args:
            penalised: with the adapter's penalty, which is there once in a batch.
        """
        penalty = self._penalty(penalised)
        if not groups:
            (self.module(nothing(self.device)).sum() * 0 + sum(penalty)).backward()
            return self.nothing()
        result = self._result(groups)
        (result.total / weight + sum(penalty)).backward()
        return torch.stack([*self._sums(result), *(term.detach() * weight for term in penalty)])

    @torch.no_grad()
    def judge(self, groups: Sequence[Group]) -> torch.Tensor:
        """(1 + reported,) the sums of the loss and what the objective reports, in evaluation mode."""
        self.module.eval()
        try:
            if groups:
                return torch.stack(self._sums(self._result(groups)))
            self.module(nothing(self.device))
            return torch.zeros(1 + len(self.reported), device=self.device)
        finally:
            self.module.train()

    def _result(self, groups: Sequence[Group]) -> LossSum:
        sequences = (sequence for group in groups for sequence in group.sequences)
        batch = pack(sequences, self.device, share=self.trainable.packed, inputs_of=self.trainable.inputs_of)
        reference = self._reference(batch) if self.objective.needs_reference else None
        return self.objective.loss(LogProbs(self.module(batch), reference, batch.lengths, groups))

    def _sums(self, result: LossSum) -> list[torch.Tensor]:
        return [result.total.detach(), *(result.metrics[name].detach().float() for name in self.reported)]

    def _penalty(self, asked: bool) -> list[torch.Tensor]:
        """The adapter's, zero where it is not asked for; empty for an adapter that has none."""
        if not isinstance(self.adapter, Penalising):
            return []
        return [self.adapter.penalty(self.trainable.model).float() if asked else torch.zeros((), device=self.device)]

    @torch.no_grad()
    def _reference(self, batch: Any) -> torch.Tensor:
        with self.adapter.reference(self.trainable.model) as model:
            if model is self.trainable.model:  # through the strategy, which may hold its weights in pieces
                training = self.module.training
                self.module.eval()
                values = self.module(batch)
                self.module.train(training)
                return values
            with autocast(self.device, self.trainable.compute):
                return label_log_probs(model, batch)

    def _reported(self, group: Group) -> list[str]:
        """The names of what the objective reports: asked of one group, because a rank without any must add zeros for the same ones."""
        lengths = pack(group.sequences).lengths
        values = torch.zeros(sum(lengths), device=self.device)
        return sorted(self.objective.loss(LogProbs(values, values, lengths, [group])).metrics)
