"""Chooses the next token of every sequence in a batch, each by its own request's settings.

Greedy rows take the largest logit. The others draw one uniform number from their own generator and invert the cumulative distribution, so
that a sequence's tokens depend on its seed and its logits alone, never on what else is in the batch.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from tunesmith_transformers.sampling.params import Sampling

NUCLEUS = 256  # candidates sorted at first; nearly always enough, and a full sort of the vocabulary costs 50 times more
BLOCK = 256  # weights are summed in blocks of at most so many before one block is looked at closely
BELOW_ONE = 1 - 2**-22  # a number rounded up to 1 must not fall on a weight of zero at the end
COLDEST = 1e-6  # temperatures below are as good as greedy, and would overflow


@dataclass
class Draw:
    """The sampler's view of one sequence: its settings, its generator, how often it has generated each token."""

    sampling: Sampling
    random: random.Random = field(init=False)
    counts: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.sampling.seed)

    def count(self, token: int) -> None:
        if self.sampling.presence_penalty or self.sampling.frequency_penalty:
            self.counts[token] = self.counts.get(token, 0) + 1


def choose(logits: torch.Tensor, draws: Sequence[Draw]) -> list[int]:
    """A token per row of `logits` ``[rows, vocabulary]``."""
    if any(draw.sampling.adjusts for draw in draws):
        logits = logits.float().clone()
        for row, draw in zip(logits, draws, strict=True):
            _adjust(row, draw.sampling, draw.counts)
    # `max` gives the same as `argmax`, which is four times slower on a processor
    tokens = logits.max(-1).indices.tolist() if any(draw.sampling.greedy for draw in draws) else [0] * len(draws)
    for cut in (False, True):
        chosen = [i for i, draw in enumerate(draws) if not draw.sampling.greedy and _is_cut(draw.sampling) == cut]
        if chosen:
            settings = [draws[i].sampling for i in chosen]
            uniform = torch.tensor([draws[i].random.random() for i in chosen], device=logits.device)
            weights = _weights(logits if len(chosen) == len(draws) else logits[chosen], settings)
            picked = _nucleus(weights, settings, uniform) if cut else _invert(weights, uniform)
            for index, token in zip(chosen, picked.tolist(), strict=True):
                tokens[index] = token
    return tokens


def _weights(logits: torch.Tensor, settings: Sequence[Sampling]) -> torch.Tensor:
    """Probabilities up to a factor per row. In place in one copy: fresh memory of this size costs more than the arithmetic."""
    temperature = torch.tensor([max(s.temperature, COLDEST) for s in settings], device=logits.device)[:, None]
    weights = logits.to(torch.float32, copy=True)
    return weights.sub_(weights.amax(-1, keepdim=True)).div_(temperature).exp_()


def _is_cut(sampling: Sampling) -> bool:
    return sampling.top_p < 1 or sampling.top_k > 0


def _adjust(row: torch.Tensor, sampling: Sampling, counts: Mapping[int, int]) -> None:
    if counts:
        ids = torch.tensor(list(counts), device=row.device)
        times = torch.tensor(list(counts.values()), dtype=row.dtype, device=row.device)
        row[ids] -= sampling.presence_penalty + sampling.frequency_penalty * times
    for token, bias in sampling.logit_bias.items():
        row[token] += bias


def _invert(weights: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """The first index at which the cumulative weight passes `uniform` times the whole, per row."""
    size = math.gcd(weights.shape[-1], BLOCK)
    blocks = weights.view(len(weights), -1, size)
    sums = blocks.sum(-1)
    ends = sums.cumsum(-1)
    aim = uniform.clamp(max=BELOW_ONE) * ends[:, -1]
    block = _passes(ends, aim)
    rows = torch.arange(len(weights), device=weights.device)
    inner = blocks[rows, block].cumsum(-1)
    rest = (aim - (ends[rows, block] - sums[rows, block])).clamp(min=0)
    return block * size + _passes(inner, torch.minimum(rest, inner[:, -1] * BELOW_ONE))


def _passes(cumulative: torch.Tensor, aim: torch.Tensor) -> torch.Tensor:
    return torch.searchsorted(cumulative, aim[:, None], right=True)[:, 0].clamp_(max=cumulative.shape[-1] - 1)


def _nucleus(weights: torch.Tensor, settings: Sequence[Sampling], uniform: torch.Tensor, size: int = NUCLEUS) -> torch.Tensor:
    """Draw among the likeliest tokens by each row's top_p and top_k, looking at the `size` likeliest."""
    vocabulary = weights.shape[-1]
    size = min(size, vocabulary)
    whole = weights.sum(-1, keepdim=True)
    top_p = torch.tensor([s.top_p for s in settings], device=weights.device)[:, None] * whole
    top_k = torch.tensor([s.top_k or vocabulary for s in settings], device=weights.device)[:, None]
    values, indices = weights.topk(size, dim=-1)  # sorted
    before = values.cumsum(-1) - values
    rank = torch.arange(size, device=weights.device)
    kept = values.masked_fill(((before >= top_p) & (rank > 0)) | (rank >= top_k), 0)
    tokens = indices.gather(-1, _invert(kept, uniform)[:, None])[:, 0]
    if size < vocabulary:
        short = ((values.sum(-1, keepdim=True) < top_p) & (top_k > size))[:, 0].nonzero()[:, 0].tolist()
        if short:  # flat distributions: sort everything, for these rows only
            tokens[short] = _nucleus(weights[short], [settings[i] for i in short], uniform[short], vocabulary)
    return tokens
