"""What a batch of groups comes to on this rank: loss, metrics and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tunesmith.contracts import Adapter, Group, LogProbs, Objective
from tunesmith_torch.log_probs import label_log_probs
from tunesmith_torch.packed import nothing, pack
from tunesmith_torch.policy import Policy, autocast


class Computation:
    """An objective's loss under a policy.

    Args:
        module: the policy as the strategy wrapped it.
        example: a group, of which the objective is asked what it reports.
    """

    def __init__(
        self, policy: Policy, module: Any, objective: Objective, adapter: Adapter, device: torch.device, example: Group
    ) -> None:  # fmt: skip
        self.policy, self.module, self.objective, self.adapter, self.device = policy, module, objective, adapter, device
        self.metrics = self._metrics(example)

    def nothing(self) -> torch.Tensor:
        """(1 + metrics,) zeros: the sums over no group."""
        return torch.zeros(1 + len(self.metrics), device=self.device)

    def learn(self, groups: Sequence[Group], weight: float) -> torch.Tensor:
        """Add to the gradients of the loss over a batch of `weight`; (1 + metrics,) the loss and the metrics, summed over the groups."""
        if not groups:
            (self.module(nothing(self.device)).sum() * 0).backward()
            return self.nothing()
        batch = pack((sequence for group in groups for sequence in group.sequences), self.device, share=self.policy.packed)
        reference = self._reference(batch) if self.objective.needs_reference else None
        result = self.objective.loss(LogProbs(self.module(batch), reference, batch.lengths, groups))
        (result.total / weight).backward()
        return torch.stack([result.total.detach(), *(result.metrics[name].detach().float() for name in self.metrics)])

    @torch.no_grad()
    def _reference(self, batch: Any) -> torch.Tensor:
        with self.adapter.reference(self.policy.model) as model:
            if model is self.policy.model:  # through the strategy, which may hold its weights in pieces
                self.module.eval()
                values = self.module(batch)
                self.module.train()
                return values
            with autocast(self.device, self.policy.compute):
                return label_log_probs(model, batch)

    def _metrics(self, group: Group) -> list[str]:
        """The names of what the objective reports: asked of one group, because a rank without any must add zeros for the same ones."""
        lengths = pack(group.sequences).lengths
        values = torch.zeros(sum(lengths), device=self.device)
        return sorted(self.objective.loss(LogProbs(values, values, lengths, [group])).metrics)
