"""What a rank has of a packed row: all of it, or its part where the ranks of a context-parallel group divide rows by tokens.

Of each sequence a rank has an early and a late piece, as Megatron deals them: so causal attention costs every rank the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm

import torch


@dataclass(frozen=True)
class RowPart:
    """Args:
    size: tokens of the whole row.
    lengths: of the row's sequences, each lengthened to a multiple of twice as many tokens as there are ranks.
    pieces: what is here of each sequence, (tokens, tokens of the sequence from its beginning to the last of them).
    tokens: (tokens here,) where in the row each is; -1: it was added.
    order: (tokens of all ranks,) where each token of the lengthened row is among those of all ranks, one rank behind the other; None where
        this rank has all.
    """

    size: int
    lengths: tuple[int, ...]
    pieces: tuple[tuple[tuple[int, int], ...], ...]
    tokens: torch.Tensor
    order: torch.Tensor | None

    @classmethod
    def of(cls, lengths: Sequence[int], rank: int, ranks: int, together: int = 1, device: torch.device | str = "cpu") -> RowPart:
        """Args:
        together: what a rank has is made a multiple of it, by a sequence of added tokens.
        """
        size, count = sum(lengths), 1 if ranks == 1 else 2 * ranks
        long = [-(-length // count) * count for length in lengths]
        if missing := -(sum(long) // ranks) % lcm(count // ranks, together):
            lengths, long = [*lengths, 0], [*long, missing * ranks]
        mine = (0,) if ranks == 1 else (rank, count - 1 - rank)
        pieces, tokens, order, begin, here = [], [], [], 0, 0
        for length, whole in zip(lengths, long, strict=True):
            each = whole // count
            pieces.append(tuple((each, (piece + 1) * each) for piece in mine))
            places = torch.cat([torch.arange(piece * each, (piece + 1) * each) for piece in mine])
            tokens.append(torch.where(places < length, begin + places, -1))
            for piece in range(count):
                owner, late = (piece, 0) if piece < ranks else (count - 1 - piece, each)
                first = owner * (sum(long) // ranks) + here + late
                order.append(torch.arange(first, first + each))
            begin, here = begin + length, here + each * len(mine)
        found = torch.cat(order).to(device) if ranks > 1 else None
        return cls(size, tuple(long), tuple(pieces), torch.cat(tokens).to(device), found)

    def ids(self, row: torch.Tensor) -> torch.Tensor:
        """(tokens here,) of the row's (tokens,); what was added is 0."""
        return torch.cat([row, row.new_zeros(1)])[self.tokens]

    def find(self, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Which of the (n,) places in the row are here, by their number in `places`, and which of the tokens here they are."""
        at = torch.full((self.size + 1,), -1, device=self.tokens.device)
        at[self.tokens] = torch.arange(len(self.tokens), device=at.device)  # what was added writes behind the row's last
        found = at[places]
        numbers = (found >= 0).nonzero()[:, 0]
        return numbers, found[numbers]
