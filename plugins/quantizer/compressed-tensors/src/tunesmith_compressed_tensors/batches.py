"""Sequences of one length in batches, which need no padding."""

from __future__ import annotations

from collections.abc import Iterator

import torch


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
