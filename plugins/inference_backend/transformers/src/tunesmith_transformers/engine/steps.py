"""Carries out one step's batch: forward pass, scoring of prompts, sampling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from tunesmith_transformers.engine.scheduler import Batch
from tunesmith_transformers.engine.sequence import Sequence
from tunesmith_transformers.model.forward import Forward
from tunesmith_transformers.sampling.logprobs import TokenLogprob, token_logprobs
from tunesmith_transformers.sampling.sampler import choose


@dataclass(frozen=True)
class Advance:
    """What a step did for a sequence whose prompt is read: the token that comes next, None if none was asked for."""

    sequence: Sequence
    token: int | None
    logprob: TokenLogprob | None = None


def carry_out(batch: Batch, forward: Forward) -> Iterator[Advance]:
    """Run the batch; the sequences' `cached`, `tokens` and `prompt_logprobs` are brought up to date."""
    logits = forward(batch.chunks, batch.decoding, batch.rows, batch.columns)
    drawn: list[Sequence] = []
    rows: list[int] = []
    row = 0
    for sequence, chunk in zip(batch.sequences, batch.chunks, strict=True):
        sequence.cached += len(chunk.tokens)
        read = sequence.unread == 0
        scored = len(chunk.wanted) - read
        if scored:
            _score(sequence, chunk.start + chunk.wanted[0], logits[row : row + scored])
        row += len(chunk.wanted)
        if read and sequence.generated < sequence.sampling.max_tokens:
            drawn.append(sequence)
            rows.append(row - 1)
        elif read:
            yield Advance(sequence, None)
    if drawn:
        yield from _sample(drawn, logits if len(rows) == len(logits) else logits[rows])


def _score(sequence: Sequence, position: int, logits: torch.Tensor) -> None:
    """Log-probabilities of the prompt's tokens that follow `position`."""
    following = sequence.prompt[position + 1 : position + 1 + len(logits)]
    sequence.prompt_logprobs += token_logprobs(logits, following, sequence.sampling.prompt_logprobs or 0)
    sequence.scored = position + len(logits)


def _sample(sequences: list[Sequence], logits: torch.Tensor) -> Iterator[Advance]:
    tokens = choose(logits, [s.draw for s in sequences])
    for index, (sequence, token) in enumerate(zip(sequences, tokens, strict=True)):
        sequence.tokens.append(token)
        sequence.draw.count(token)
        alternatives = sequence.sampling.logprobs
        entry = None if alternatives is None else token_logprobs(logits[index : index + 1], [token], alternatives)[0]
        yield Advance(sequence, token, entry)
