"""What an objective's loss gives: sums over a micro-batch's groups, with metrics beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Tensor = Any  #: torch.Tensor; the contracts import no torch


class Mean(NamedTuple):
    """A metric that is an average over something else than the batch's weight: a sum, and of how many.

    Both may be (k,): then the metric is the mean of the k quotients, without those of which there were none. So F1 over classes is told of
    twice the hits of each class, and of how often it was right and how often it was found.
    """

    total: Tensor
    count: Tensor


@dataclass(frozen=True)
class LossSum:
    """A micro-batch's loss and metrics as sums over its groups, so that accumulation and replicas only add.

    The engine divides by the weight of the whole batch (all micro-batches, all ranks): the loss of a batch does not depend on how
    it was cut. A metric is divided by the same weight, unless it is a `Mean`.

    Args:
        value: what is reported as the loss, where that is another number than the one with the gradient.
        rows: (groups,) each group's own part of the loss, where it has one: training tells of each row how large it was, so that the rows
            behind a spike can be named. Not needed for training.
    """

    total: Tensor
    metrics: Mapping[str, Tensor | Mean] = field(default_factory=dict)
    value: Tensor = None
    rows: Tensor = None


def per_sequence(values: Tensor, lengths: Sequence[int]) -> Tensor:
    """(sequences,) the sum over each sequence's values, without a gradient; 0 for one that has none.

    Args:
        values: (labels,), sequence after sequence.
        lengths: labels of each.
    """
    import torch

    return torch.segment_reduce(values.detach(), "sum", lengths=torch.tensor(list(lengths), device=values.device), initial=0.0)
