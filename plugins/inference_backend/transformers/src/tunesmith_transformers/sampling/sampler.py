"""Chooses the next token of every sequence in a batch, each by its own request's settings.

Greedy rows take the largest logit. The others draw one uniform number from their own generator and invert the cumulative distribution, so
that a sequence's tokens depend on its seed and its logits alone, never on what else is in the batch.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from tunesmith_transformers.sampling.sampling_params import Sampling

NUCLEUS = 256  # candidates sorted at first; nearly always enough, and a full sort of the vocabulary costs 50 times more
BLOCK = 256  # weights are summed in blocks of at most so many before one block is looked at closely
BELOW_ONE = 1 - 2**-22  # a number rounded up to 1 must not fall on a weight of zero at the end
COLDEST = 1e-6  # temperatures below are as good as greedy, and would overflow


class NotFinite(ArithmeticError):
    """The model gave logits among which there is nothing to choose: not a number, or infinite."""


@dataclass
class Draw:
    """The sampler's view of one sequence: its settings, its generator, which tokens it has and how often it has generated each.

    Args:
        prompt: the tokens before the first that is drawn.
    """

    sampling: Sampling
    prompt: Sequence[int] = ()
    counts: dict[int, int] = field(default_factory=dict)
    _random: random.Random = field(init=False)
    _uniform: float | None = None
    _seen: torch.Tensor | None = None  # [vocabulary], true for the tokens so far
    _bias: tuple[torch.Tensor, torch.Tensor] | None = None

    def __post_init__(self) -> None:
        self._random = random.Random(self.sampling.seed)
        self._matcher = self.sampling.grammar.matcher() if self.sampling.grammar else None
        self._in_grammar = self.sampling.grammar_after is None

    @property
    def complete(self) -> bool:
        """Whether the answer's grammar leaves nothing but the end."""
        return self._matcher is not None and self._in_grammar and self._matcher.complete

    def uniform(self) -> float:
        """The number that decides about the next token: the same one until a token is counted."""
        if self._uniform is None:
            self._uniform = self._random.random()
        return self._uniform

    def count(self, token: int) -> None:
        """A token was chosen."""
        self._uniform = None
        if self.sampling.presence_penalty or self.sampling.frequency_penalty:
            self.counts[token] = self.counts.get(token, 0) + 1
        if self._seen is not None:
            self._seen[token] = True
        if self._matcher is not None and self._in_grammar:
            self._matcher.take(token)
        elif token == self.sampling.grammar_after:
            self._in_grammar = True

    def adjust(self, row: torch.Tensor) -> None:
        """Apply penalties, bias and grammar to logits ``[vocabulary]``, in place."""
        sampling = self.sampling
        if sampling.repetition_penalty != 1:
            if self._seen is None:
                self._seen = torch.zeros(len(row), dtype=torch.bool, device=row.device)
                self._seen[torch.tensor([*self.prompt], dtype=torch.long, device=row.device)] = True
            penalised = torch.where(row > 0, row / sampling.repetition_penalty, row * sampling.repetition_penalty)
            torch.where(self._seen, penalised, row, out=row)
        if self.counts:
            ids = torch.tensor(list(self.counts), device=row.device)
            times = torch.tensor(list(self.counts.values()), dtype=row.dtype, device=row.device)
            row[ids] -= sampling.presence_penalty + sampling.frequency_penalty * times
        if sampling.logit_bias:
            if self._bias is None:
                values = torch.tensor(list(sampling.logit_bias.values()), dtype=row.dtype, device=row.device)
                self._bias = torch.tensor(list(sampling.logit_bias), device=row.device), values
            row.index_add_(0, *self._bias)
        if self._matcher is not None and self._in_grammar:
            row.masked_fill_(self._matcher.forbidden(len(row)).to(row.device), -torch.inf)


def choose(logits: torch.Tensor, draws: Sequence[Draw]) -> list[int]:
    """A token per row of `logits` ``[rows, vocabulary]``.

    Raises:
        NotFinite: for some row there is none.
    """
    if any(draw.sampling.adjusts for draw in draws):
        logits = logits.float().clone()
        for row, draw in zip(logits, draws, strict=True):
            draw.adjust(row)
    tokens = [0] * len(draws)
    if any(draw.sampling.greedy for draw in draws):
        # `max` gives the same as `argmax`, which is four times slower on a processor
        peaks, best = logits.max(-1)
        _check(peaks)
        tokens = best.tolist()
    for cut in (False, True):
        chosen = [i for i, draw in enumerate(draws) if not draw.sampling.greedy and _is_cut(draw.sampling) == cut]
        if chosen:
            settings = [draws[i].sampling for i in chosen]
            uniform = torch.tensor([draws[i].uniform() for i in chosen], device=logits.device)
            weights = _weights(logits if len(chosen) == len(draws) else logits[chosen], settings)
            picked = _nucleus(weights, settings, uniform) if cut else _invert(weights, uniform)
            for index, token in zip(chosen, picked.tolist(), strict=True):
                tokens[index] = token
    return tokens


def _check(peaks: torch.Tensor) -> None:
    """The largest logit of a row tells of all of them: it is NaN if one is."""
    if not bool(peaks.isfinite().all()):
        raise NotFinite("the model's logits are not finite")


def _weights(logits: torch.Tensor, settings: Sequence[Sampling]) -> torch.Tensor:
    """Probabilities up to a factor per row. In place in one copy: fresh memory of this size costs more than the arithmetic."""
    temperature = torch.tensor([max(s.temperature, COLDEST) for s in settings], device=logits.device)[:, None]
    weights = logits.to(torch.float32, copy=True)
    peaks = weights.amax(-1, keepdim=True)
    _check(peaks)
    return weights.sub_(peaks).div_(temperature).exp_()


def _is_cut(sampling: Sampling) -> bool:
    return sampling.top_p < 1 or sampling.top_k > 0 or sampling.min_p > 0


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
    """Draw among the likeliest tokens by each row's top_p, top_k and min_p, looking at the `size` likeliest; the largest weight is 1."""
    vocabulary = weights.shape[-1]
    size = min(size, vocabulary)
    whole = weights.sum(-1, keepdim=True)
    top_p = torch.tensor([s.top_p for s in settings], device=weights.device)[:, None] * whole
    top_k = torch.tensor([min(s.top_k or vocabulary, vocabulary) for s in settings], device=weights.device)[:, None]
    min_p = torch.tensor([s.min_p for s in settings], device=weights.device)[:, None]
    values, indices = weights.topk(size, dim=-1)  # sorted
    before = values.cumsum(-1) - values
    rank = torch.arange(size, device=weights.device)
    kept = values.masked_fill((((before >= top_p) | (values < min_p)) & (rank > 0)) | (rank >= top_k), 0)
    tokens = indices.gather(-1, _invert(kept, uniform)[:, None])[:, 0]
    if size < vocabulary:
        short = ((values.sum(-1, keepdim=True) < top_p) & (top_k > size) & (values[:, -1:] >= min_p))[:, 0].nonzero()[:, 0].tolist()
        if short:  # flat distributions: sort everything, for these rows only
            tokens[short] = _nucleus(weights[short], [settings[i] for i in short], uniform[short], vocabulary)
    return tokens
