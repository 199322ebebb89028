"""Binary cross-entropy of classes that a text may have several of.

    loss = - sum over rows i and classes c of (y_ic log sigmoid(s_ic) + (1 - y_ic) log sigmoid(-s_ic))  /  (rows in the batch * classes)

s_ic are the numbers that the head gives at a text's end, y_ic is 1 for the classes that it has: what transformers'
``ForSequenceClassification`` computes for ``multi_label_classification``.
"""

from __future__ import annotations

from typing import Any

from tunesmith_classify.asks import SCORE
from tunesmith_classify.cross_entropy import CLASSES
from tunesmith_classify.macro_f1 import macro_f1
from tunesmith_torch.api import LossSum, MicroBatch


def loss(batch: MicroBatch) -> LossSum:
    """Summed over the rows. A class is found where its number is above 0, its probability above one half."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    scores = batch.scores[SCORE]
    wanted = _wanted(batch)
    total = binary_cross_entropy_with_logits(scores, wanted.to(scores.dtype), reduction="sum") / scores.shape[1]
    found = scores > 0
    return LossSum(total, {"accuracy": (found == wanted).all(1).sum(), "macro_f1": macro_f1(wanted, found)})


def formula(batch: MicroBatch) -> Any:
    """Row by row and class by class."""
    lost = []
    for own, group in zip(batch.scores[SCORE], batch.groups, strict=True):
        lost += [(1 + (-number if at in group.facts[CLASSES] else number).exp()).log() for at, number in enumerate(own)]
    return sum(lost) / len(lost)


def _wanted(batch: MicroBatch) -> Any:
    """(rows, classes) bool."""
    import torch

    wanted = torch.zeros(batch.scores[SCORE].shape, dtype=torch.bool)
    for at, group in enumerate(batch.groups):
        wanted[at, group.facts[CLASSES]] = True
    return wanted.to(batch.scores[SCORE].device)
