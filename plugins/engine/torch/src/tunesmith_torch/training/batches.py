"""What each optimizer step learns from: rows of a file, or what is collected while training runs (`experience.collection`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from tunesmith_torch.api import Group
from tunesmith_torch.data.batch_sampler import BatchSampler
from tunesmith_torch.data.truncation import TruncatedRows
from tunesmith_torch.training.report.sample_ledger import Ledger


@dataclass(frozen=True)
class Batch:
    """Of one optimizer step, over all ranks.

    Args:
        groups: empty where nothing of what was collected can be learned from.
        sizes: tokens of each group that run through the model.
        rows: number of each group's row in the data, from 1.
        metrics: what is known of the batch before it is learned from.
        state: of the objective's, what it is after the step; empty for what stays as the step leaves it.
    """

    groups: Sequence[Group]
    sizes: Sequence[int]
    rows: Sequence[int]
    metrics: Mapping[str, float] = field(default_factory=dict)
    state: Mapping[str, torch.Tensor] = field(default_factory=dict)


class Batches(Protocol):
    """Batch by number. The same numbers give the same batches for the same model, whatever was interrupted.

    `example`: a group as the batches have them. `per_epoch`: optimizer steps of an epoch. `identity`: what the numbers' meaning depends on.
    `ledgers`: which are as long as a checkpoint says when a run goes on from it.
    """

    example: Group
    per_epoch: int
    identity: Mapping[str, Any]
    ledgers: Mapping[str, Ledger]

    def steps(self, epochs: float, max_steps: int) -> int:
        """Optimizer steps there are."""

    def batch(self, number: int, state: Mapping[str, torch.Tensor]) -> Batch:
        """Of the step after `number` others.

        Args:
            state: of the objective, as it is.
        """


class RowBatches:
    """Of rows."""

    ledgers: Mapping[str, Ledger] = {}

    def __init__(self, groups: TruncatedRows, sampler: BatchSampler) -> None:
        self.groups, self.sampler, self.example, self.per_epoch = groups, sampler, groups[0], sampler.per_epoch
        self.identity = {"seed": sampler.seed, "groups": len(groups), "batch_size": sampler.batch_size}

    def steps(self, epochs: float, max_steps: int) -> int:
        return self.sampler.steps(epochs, max_steps)

    def batch(self, number: int, state: Mapping[str, torch.Tensor]) -> Batch:
        chosen = self.sampler.batch(number)
        return Batch([self.groups[at] for at in chosen], [self.groups.sizes[at] for at in chosen], self.groups.numbers(chosen))
