"""Keys and values of sequences that grow by a token at a time, for the engine's own decoder.

Each prompt runs through the decoder once, packed with others; its keys and values are then copied for each of its completions. From there
on all completions take one step together: one query each against what its row of the cache has so far.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from tunesmith_torch.data.packing import Piece
from tunesmith_torch.model.attention.packed_attention import attend, softcapped

GROWTH = 64  # tokens by which the cache grows when it is full


class KeyValueCache:
    """Of all layers.

    Args:
        pieces: of the packed prompts, none continuing another.
        repeats: completions of each.
    """

    def __init__(self, layers: int, pieces: Sequence[Piece], repeats: Sequence[int]) -> None:
        self.pieces, self.repeats = tuple(pieces), tuple(repeats)
        self.layers = [LayerCache(self) for _ in range(layers)]
        lengths = [end - start for start, end, _ in pieces]
        self.lengths = torch.tensor([length for length, count in zip(lengths, repeats, strict=True) for _ in range(count)])
        self.rows = torch.arange(len(self.lengths))
        self.filled = False  #: whether the prompts have gone through

    def to(self, device: torch.device | str) -> KeyValueCache:
        """With its counters there."""
        self.lengths, self.rows = self.lengths.to(device), self.rows.to(device)
        return self

    def advance(self) -> torch.Tensor:
        """(rows,) positions of the tokens of the next step."""
        self.filled = True
        positions = self.lengths
        self.lengths = self.lengths + 1
        return positions

    def keep(self, rows: torch.Tensor) -> None:
        """Only these rows go on."""
        self.lengths, self.rows = self.lengths[rows], self.rows[: len(rows)]
        for layer in self.layers:
            layer.keys, layer.values = layer.keys[rows], layer.values[rows]


class LayerCache:
    """Of one layer: (rows, heads of keys, room, size)."""

    def __init__(self, cache: KeyValueCache) -> None:
        self.cache = cache
        self.keys = self.values = torch.empty(0)

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, scaling: float | None, window: int | None,
        softcap: float | None,
    ) -> torch.Tensor:  # fmt: skip
        """As `packed_attention.attend`: of the prompts, whose keys and values it keeps, and then of one token a row."""
        if not self.cache.filled:
            self.keys, self.values = self._padded(key), self._padded(value)
            return attend(query, key, value, self.cache.pieces, scaling=scaling, window=window, softcap=softcap)
        return self._step(query, key, value, scaling, window, softcap)

    def _padded(self, packed: torch.Tensor) -> torch.Tensor:
        """(1, heads, tokens, size) packed to a row for each completion."""
        longest = max(end - start for start, end, _ in self.cache.pieces)
        room = packed.new_zeros(sum(self.cache.repeats), packed.shape[1], longest + GROWTH, packed.shape[3])
        row = 0
        for (start, end, _), count in zip(self.cache.pieces, self.cache.repeats, strict=True):
            room[row : row + count, :, : end - start] = packed[0, None, :, start:end]
            row += count
        return room

    def _step(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None, window: int | None, softcap: float | None
    ) -> torch.Tensor:  # fmt: skip
        rows, last = self.cache.rows, self.cache.lengths - 1  # where the new token is
        longest = int(last.max()) + 1
        if longest > self.keys.shape[2]:
            more = self.keys.new_zeros(*self.keys.shape[:2], GROWTH, self.keys.shape[3])
            self.keys, self.values = torch.cat([self.keys, more], 2), torch.cat([self.values, more], 2)
        self.keys[rows, :, last], self.values[rows, :, last] = key[0].transpose(0, 1), value[0].transpose(0, 1)
        at = torch.arange(longest, device=last.device)
        seen = at <= last[:, None]
        if window is not None:
            seen &= at > last[:, None] - window
        keys, values = self.keys[:, :, :longest], self.values[:, :, :longest]
        # the queries that share a key stand in the place of a sequence's: no key is copied for them
        queries = query[0].transpose(0, 1).unflatten(1, (keys.shape[1], -1))
        mask = seen[:, None, None, :]
        if softcap is not None:
            attended = softcapped(queries, keys, values, 0.0, scaling, mask, softcap)
        else:
            attended = torch.nn.functional.scaled_dot_product_attention(queries, keys, values, mask, scale=scaling)
        return attended.flatten(1, 2)[None]
