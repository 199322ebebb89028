"""The next token of each sequence, drawn by a number that belongs to the sequence and the place alone.

A draw inverts the cumulative distribution at a uniform number, which follows from the run's seed, the collection, the row, the sample and
the place in the completion: what else is sampled at the same time changes nothing but the last bits of the logits.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from tunesmith_torch.api import Sampling
from tunesmith_torch.training.seed import derived

NUCLEUS = 256  # likeliest tokens that are looked at first; nearly always enough, and sorting the vocabulary costs much more
_BELOW_ONE = 1 - 2**-53


class UniformNumbers:
    """Of one completion: a number for each of its tokens."""

    def __init__(self, *parts: object) -> None:
        self._random = random.Random(derived("rollout", *parts))

    def next(self) -> float:
        """In [0, 1)."""
        return self._random.random()


def choose(logits: torch.Tensor, sampling: Sampling, uniform: Sequence[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """(rows,) ids, and (rows,) float32 log-probabilities at the run's temperature over all tokens, also where not all may be drawn.

    Args:
        logits: (rows, vocabulary) float32.
        uniform: a number for each row.
    """
    logs = torch.log_softmax(logits / sampling.temperature, dim=1)
    aim = torch.tensor([min(value, _BELOW_ONE) for value in uniform], dtype=torch.float64, device=logits.device)
    if sampling.top_p >= 1 and not sampling.top_k and not sampling.min_p:
        ids = _invert(logs.exp(), aim)
    else:
        ids = _cut(logs.exp(), sampling, aim)
    return ids, logs.gather(1, ids[:, None]).squeeze(1)


def _invert(weights: torch.Tensor, aim: torch.Tensor) -> torch.Tensor:
    """The first index at which the cumulative weight passes `aim` times the whole, which has a weight above 0."""
    ends = weights.double().cumsum(1)
    return torch.searchsorted(ends, (aim * ends[:, -1])[:, None], right=True)[:, 0].clamp_(max=weights.shape[1] - 1)


def _cut(probabilities: torch.Tensor, sampling: Sampling, aim: torch.Tensor, size: int = NUCLEUS) -> torch.Tensor:
    """Among the likeliest: the fewest that make up `top_p`, at most `top_k`, none below `min_p` times the likeliest."""
    vocabulary = probabilities.shape[1]
    top_k = min(sampling.top_k or vocabulary, vocabulary)
    size = min(max(size, min(top_k, NUCLEUS)), vocabulary)
    values, indices = probabilities.topk(size, dim=1)
    before = values.double().cumsum(1) - values.double()
    outside = (before >= sampling.top_p) | (values < sampling.min_p * values[:, :1])
    outside |= torch.arange(size, device=values.device) >= top_k
    outside[:, 0] = False
    ids = indices.gather(1, _invert(values.masked_fill(outside, 0), aim)[:, None])[:, 0]
    if size < vocabulary and top_k > size:
        short = ~outside[:, -1]  # the least likely of those looked at may be drawn: so may others be
        if bool(short.any()):
            ids[short] = _cut(probabilities[short], sampling, aim[short], vocabulary)
    return ids
