"""The squared error of numbers.

    loss = sum over rows i of (s_i - y_i)^2  /  number of rows in the batch

s_i is what the head gives at a text's end, y_i its number: what transformers' ``ForSequenceClassification`` computes for a ``regression``.
"""

from __future__ import annotations

from typing import Any

from tunesmith_classify.asks import SCORE
from tunesmith_torch.api import LossSum, MicroBatch

NUMBER = "number"  #: of a group: what its text is worth


def loss(batch: MicroBatch) -> LossSum:
    """Summed over the rows."""
    import torch

    scores = batch.scores[SCORE].squeeze(1)
    wanted = torch.tensor([group.facts[NUMBER] for group in batch.groups], dtype=scores.dtype, device=scores.device)
    return LossSum((scores - wanted).square().sum(), {"absolute_error": (scores - wanted).abs().sum()})


def formula(batch: MicroBatch) -> Any:
    """Row by row."""
    lost = [(score[0] - group.facts[NUMBER]) ** 2 for score, group in zip(batch.scores[SCORE], batch.groups, strict=True)]
    return sum(lost) / len(lost)
