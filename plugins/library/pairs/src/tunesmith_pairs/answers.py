"""Numbers of tokens, as numbers of answers: the sequences of pairs are chosen, rejected, chosen, rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Answers(NamedTuple):
    """(pairs,) of the chosen answers and of the rejected ones."""

    chosen: Tensor
    rejected: Tensor

    @property
    def difference(self) -> Tensor:
        return self.chosen - self.rejected


def per_answer(values: Tensor, lengths: Sequence[int]) -> Answers:
    """Sums over each answer's tokens; 0 for one of which nothing is left.

    Args:
        values: (labels,), sequence after sequence.
        lengths: labels of each.
    """
    import torch

    sums = torch.stack([own.sum() for own in values.split(list(lengths))])
    return Answers(sums[0::2], sums[1::2])


def counts(lengths: Sequence[int], like: Tensor) -> Answers:
    """Tokens of each answer, at least 1, so that a mean over none is 0 and not NaN."""
    import torch

    numbers = torch.tensor(lengths, dtype=like.dtype, device=like.device).clamp(min=1)
    return Answers(numbers[0::2], numbers[1::2])


def tail_weights(lengths: Sequence[int], weight: float, like: Tensor) -> Tensor:
    """(labels,) `weight` for the tokens of a pair's longer answer beyond the length of its shorter one, and 1 for the others."""
    import torch

    pieces = []
    for first in range(0, len(lengths), 2):
        shared = min(lengths[first : first + 2])
        pieces += [part for length in lengths[first : first + 2] for part in ([1.0] * shared + [weight] * (length - shared))]
    return torch.tensor(pieces, dtype=like.dtype, device=like.device)
