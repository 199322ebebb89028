"""Chooses the next token of every sequence in a batch, each by its own request's settings.

Greedy rows are one `argmax`. The others draw one uniform number from their own generator and invert the cumulative distribution, so
that a sequence's tokens depend on its seed and its logits alone, never on what else is in the batch.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from tunesmith_transformers.sampling.params import Sampling

NUCLEUS = 256  # candidates sorted at first; nearly always enough, and a full sort of the vocabulary costs 50 times more


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
    tokens = logits.argmax(-1).tolist()
    drawn = [index for index, draw in enumerate(draws) if not draw.sampling.greedy]
    for cut in (False, True):
        chosen = [index for index in drawn if _is_cut(draws[index].sampling) == cut]
        if chosen:
            settings = [draws[index].sampling for index in chosen]
            uniform = torch.tensor([draws[index].random.random() for index in chosen], device=logits.device)
            temperature = torch.tensor([s.temperature for s in settings], device=logits.device)[:, None]
            rows = logits[chosen].float()
            probabilities = ((rows - rows.amax(-1, keepdim=True)) / temperature).softmax(-1)
            picked = _nucleus(probabilities, settings, uniform) if cut else _invert(probabilities, uniform)
            for index, token in zip(chosen, picked.tolist(), strict=True):
                tokens[index] = token
    return tokens


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
    cumulative = weights.cumsum(-1)
    # just below 1: a number rounded up to 1 must not fall on a weight of zero at the end
    aim = uniform.clamp(max=1 - 2**-22) * cumulative[:, -1]
    return torch.searchsorted(cumulative, aim[:, None], right=True)[:, 0].clamp_(max=weights.shape[-1] - 1)


def _nucleus(probabilities: torch.Tensor, settings: Sequence[Sampling], uniform: torch.Tensor, size: int = NUCLEUS) -> torch.Tensor:
    """Draw among the likeliest tokens by each row's top_p and top_k, looking at the `size` likeliest."""
    vocabulary = probabilities.shape[-1]
    size = min(size, vocabulary)
    top_p = torch.tensor([s.top_p for s in settings], device=probabilities.device)[:, None]
    top_k = torch.tensor([s.top_k or vocabulary for s in settings], device=probabilities.device)[:, None]
    values, indices = probabilities.topk(size, dim=-1)  # sorted
    before = values.cumsum(-1) - values
    rank = torch.arange(size, device=values.device)
    kept = values.masked_fill(((before >= top_p) & (rank > 0)) | (rank >= top_k), 0)
    tokens = indices.gather(-1, _invert(kept, uniform)[:, None])[:, 0]
    if size < vocabulary:
        short = ((values.sum(-1, keepdim=True) < top_p) & (top_k > size))[:, 0].nonzero()[:, 0].tolist()
        if short:  # flat distributions: sort everything, for these rows only
            tokens[short] = _nucleus(probabilities[short], [settings[i] for i in short], uniform[short], vocabulary)
    return tokens
