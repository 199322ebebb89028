"""Log-probabilities of tokens under the model: from its own logits, before temperature, penalties and bias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

ROWS = 64  # rows turned into float32 at once: a vocabulary of 150,000 makes that 40 MB


@dataclass(frozen=True)
class TokenLogprob:
    """A token's log-probability (None for the first of a text), and the likeliest tokens in its place."""

    token: int
    logprob: float | None
    top: tuple[tuple[int, float], ...] = ()


def token_logprobs(logits: torch.Tensor, tokens: Sequence[int], alternatives: int) -> list[TokenLogprob]:
    """One entry per row of `logits` ``[rows, vocabulary]`` for the token chosen there."""
    entries: list[TokenLogprob] = []
    for first in range(0, len(tokens), ROWS):
        part = tokens[first : first + ROWS]
        logp = logits[first : first + ROWS].float().log_softmax(-1)
        chosen = logp[range(len(part)), list(part)].tolist()
        if alternatives:
            values, indices = logp.topk(min(alternatives, logp.shape[-1]), dim=-1)
            tops = [tuple(zip(i, v, strict=True)) for i, v in zip(indices.tolist(), values.tolist(), strict=True)]
        else:
            tops = [()] * len(part)
        entries += [TokenLogprob(token, value, top) for token, value, top in zip(part, chosen, tops, strict=True)]
    return entries
