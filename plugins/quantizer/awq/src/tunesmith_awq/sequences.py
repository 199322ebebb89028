"""Rows joined to sequences of one length: a batch needs no padding, whose activations would count like those of words."""

from __future__ import annotations

from collections.abc import Iterator

import torch


def sequences(rows: list[list[int]], length: int) -> list[list[int]]:
    """All tokens one after another, cut every `length` tokens; what is left at the end is dropped, unless it is all there is."""
    tokens = [token for row in rows for token in row]
    whole = [tokens[at : at + length] for at in range(0, len(tokens) - length + 1, length)]
    return whole or [tokens]


class Batches(torch.utils.data.DataLoader):
    """Batches in order, the same on every run."""

    def __init__(self, found: list[list[int]], size: int) -> None:
        super().__init__(found, batch_size=size, shuffle=False, collate_fn=self._stack)

    @staticmethod
    def _stack(rows: list[list[int]]) -> dict[str, torch.Tensor]:
        ids = torch.tensor(rows)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        return super().__iter__()
