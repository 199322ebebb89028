"""Log-probabilities of tokens under the model: from its own logits, before temperature, penalties and bias."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from tunesmith_transformers.text.token_logprob import TokenLogprob

LEAST = -9999.0  # for what the model forbids: minus infinity is no number in JSON
ROWS = 64  # rows turned into float32 at once: a vocabulary of 150,000 makes that 40 MB


def token_logprobs(logits: torch.Tensor, tokens: Sequence[int], alternatives: int) -> list[TokenLogprob]:
    """One entry per row of `logits` ``[rows, vocabulary]`` for the token chosen there.

    Raises:
        ArithmeticError: the model gave logits that are not a number.
    """
    entries: list[TokenLogprob] = []
    for first in range(0, len(tokens), ROWS):
        part = tokens[first : first + ROWS]
        logp = logits[first : first + ROWS].float().log_softmax(-1).clamp(min=LEAST)
        chosen = logp[range(len(part)), list(part)].tolist()
        if any(map(math.isnan, chosen)):
            raise ArithmeticError("the model's logits are not finite")
        if alternatives:
            values, indices = logp.topk(min(alternatives, logp.shape[-1]), dim=-1)
            tops = [tuple(zip(i, v, strict=True)) for i, v in zip(indices.tolist(), values.tolist(), strict=True)]
        else:
            tops = [()] * len(part)
        entries += [TokenLogprob(token, value, top) for token, value, top in zip(part, chosen, tops, strict=True)]
    return entries
