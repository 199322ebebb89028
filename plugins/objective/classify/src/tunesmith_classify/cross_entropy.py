"""Cross-entropy of classes.

    loss = - sum over places t of log softmax(s_t)[y_t]  /  number of places in the batch

s_t are the numbers that the head gives at a place, y_t is its class: what transformers' ``ForSequenceClassification`` and
``ForTokenClassification`` compute.
"""

from __future__ import annotations

from typing import Any

from tunesmith_classify.asks import SCORE
from tunesmith_classify.macro_f1 import macro_f1
from tunesmith_torch.api import LossSum, MicroBatch

CLASSES = "classes"  #: of a group: the number of the class at each of its places


def loss(batch: MicroBatch) -> LossSum:
    """Summed over the places."""
    from torch.nn.functional import cross_entropy, one_hot

    scores = batch.scores[SCORE]
    wanted, found = _wanted(batch), scores.argmax(1)
    by_class = (one_hot(numbers, scores.shape[1]).bool() for numbers in (wanted, found))
    metrics = {"accuracy": (found == wanted).sum(), "macro_f1": macro_f1(*by_class)}
    return LossSum(cross_entropy(scores, wanted, reduction="sum"), metrics)


def formula(batch: MicroBatch) -> Any:
    """Place by place, over their number."""
    scores = batch.scores[SCORE]
    lost = [own.logsumexp(0) - own[number] for own, number in zip(scores, _wanted(batch).tolist(), strict=True)]
    return sum(lost) / len(lost)


def _wanted(batch: MicroBatch) -> Any:
    """(places,): what `max_length` has cut off a text has no place, nor a class."""
    import torch

    numbers = [number for group, count in zip(batch.groups, batch.places, strict=True) for number in group.facts[CLASSES][:count]]
    return torch.tensor(numbers, device=batch.scores[SCORE].device)
