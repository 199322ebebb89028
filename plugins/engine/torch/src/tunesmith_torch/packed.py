"""Sequences laid end to end, without padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from tunesmith.contracts import TokenSequence


@dataclass(frozen=True)
class Packed:
    """What one forward pass reads.

    Args:
        tokens, positions: (tokens,) int64; positions count from 0 in each sequence.
        bounds: where each sequence begins, and where the last one ends.
        predictors: (labels,) int64: index of the token whose output predicts the label.
        targets: (labels,) int64: the labelled tokens' ids.
        lengths: labels per sequence, in the order given; a sequence without labels has 0 and takes no room.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    bounds: tuple[int, ...]
    predictors: torch.Tensor
    targets: torch.Tensor
    lengths: tuple[int, ...]

    def to(self, device: torch.device | str) -> Packed:
        moved = (t.to(device, non_blocking=True) for t in (self.tokens, self.positions, self.predictors, self.targets))
        tokens, positions, predictors, targets = moved
        return Packed(tokens, positions, self.bounds, predictors, targets, self.lengths)


def size(sequence: TokenSequence) -> int:
    """Tokens of `sequence` that have to go through the model: those before its last label. What follows can't change a label's loss."""
    last = len(sequence.labels) - 1
    while last > 0 and not sequence.labels[last]:
        last -= 1
    return max(last, 0)


def pack(sequences: Iterable[TokenSequence], device: torch.device | str = "cpu") -> Packed:
    """Lay `sequences` end to end."""
    tokens: list[int] = []
    positions: list[int] = []
    predictors: list[int] = []
    targets: list[int] = []
    bounds, lengths = [0], []
    for sequence in sequences:
        count, start = size(sequence), len(tokens)
        wanted = _labelled(sequence.labels, count)
        tokens.extend(sequence.tokens[:count])
        positions.extend(range(count))
        predictors.extend(start + at - 1 for at in wanted)
        targets.extend(sequence.tokens[at] for at in wanted)
        lengths.append(len(wanted))
        if count:
            bounds.append(len(tokens))
    as_tensor = (torch.tensor(values, dtype=torch.long, device=device) for values in (tokens, positions, predictors, targets))
    flat, where, predicting, wanted_ids = as_tensor
    return Packed(flat, where, tuple(bounds), predicting, wanted_ids, tuple(lengths))


def nothing(device: torch.device | str) -> Packed:
    """A micro-batch of no labels, for a rank that has run out of groups while others have some left."""
    one, none = torch.zeros(1, dtype=torch.long, device=device), torch.zeros(0, dtype=torch.long, device=device)
    return Packed(one, one, (0, 1), none, none, ())


def _labelled(labels: Sequence[bool], last: int) -> list[int]:
    return [at for at in range(1, last + 1) if labels[at]]
