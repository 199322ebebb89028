"""Carries out one step's batch: forward pass, scoring of prompts, sampling. What fails is found out, and fails alone."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from tunesmith_transformers.engine.scheduler import Batch
from tunesmith_transformers.engine.sequence import Sequence
from tunesmith_transformers.model.forward_pass import Forward
from tunesmith_transformers.model.kv_cache import CacheLost
from tunesmith_transformers.sampling.logprobs import token_logprobs
from tunesmith_transformers.sampling.sampler import choose
from tunesmith_transformers.text.token_logprob import TokenLogprob


@dataclass(frozen=True)
class Advance:
    """What a step did for a sequence whose prompt is read: the token that comes next, None if none was asked for; or how it failed."""

    sequence: Sequence
    token: int | None = None
    logprob: TokenLogprob | None = None
    error: Exception | None = None


def carry_out(batch: Batch, forward: Forward) -> Iterator[Advance]:
    """Run the batch; the sequences' `cached`, `tokens` and `prompt_logprobs` are brought up to date.

    Raises:
        CacheLost: nothing was done, and all that was read has to be read again.
    """
    logits, failed = _read(batch, forward)
    drawn: list[Sequence] = []
    rows: list[int] = []
    row = 0
    for sequence, chunk in zip(batch.sequences, batch.chunks, strict=True):
        if sequence in failed:
            yield Advance(sequence, error=failed[sequence])
            continue
        sequence.cached += len(chunk.tokens)
        read = sequence.unread == 0
        scored = len(chunk.wanted) - read
        first, row = row, row + len(chunk.wanted)
        try:
            if scored:
                _score(sequence, chunk.start + chunk.wanted[0], logits[first : first + scored])
        except Exception as error:
            yield Advance(sequence, error=_freed(error))
            continue
        if read and sequence.generated < sequence.sampling.max_tokens:
            drawn.append(sequence)
            rows.append(row - 1)
        elif read:
            yield Advance(sequence)
    if drawn:
        yield from _sample(drawn, logits if len(rows) == len(logits) else logits[rows])


def _read(batch: Batch, forward: Forward) -> tuple[torch.Tensor, dict[Sequence, Exception]]:
    """(Logits of all that is wanted in the batch's order, what failed): what fails together is read again one by one.

    Reading twice is harmless: keys and values are written to the same places.
    """
    try:
        return forward(batch.chunks, batch.decoding, batch.rows, batch.columns), {}
    except CacheLost:
        raise
    except Exception as error:
        if len(batch.chunks) == 1:
            return torch.empty(0), {batch.sequences[0]: _freed(error)}
        _freed(error)
    parts: list[torch.Tensor] = []
    failed: dict[Sequence, Exception] = {}
    for sequence, chunk in zip(batch.sequences, batch.chunks, strict=True):
        try:
            parts.append(forward([chunk], 0, batch.rows, batch.columns))
        except Exception as error:
            failed[sequence] = _freed(error)
    return torch.cat(parts) if parts else torch.empty(0), failed


def _score(sequence: Sequence, position: int, logits: torch.Tensor) -> None:
    """Log-probabilities of the prompt's tokens that follow `position`."""
    following = sequence.prompt[position + 1 : position + 1 + len(logits)]
    sequence.prompt_logprobs += token_logprobs(logits, following, sequence.sampling.prompt_logprobs or 0)
    sequence.scored = position + len(logits)


def _sample(sequences: list[Sequence], logits: torch.Tensor) -> Iterator[Advance]:
    for index, (sequence, token) in enumerate(zip(sequences, _choose(sequences, logits), strict=True)):
        alternatives = sequence.sampling.logprobs
        try:
            if isinstance(token, Exception):
                raise token
            entry = None if alternatives is None else token_logprobs(logits[index : index + 1], [token], alternatives)[0]
            sequence.draw.count(token)
        except Exception as error:
            yield Advance(sequence, error=_freed(error))
            continue
        sequence.tokens.append(token)
        yield Advance(sequence, token, entry)


def _choose(sequences: list[Sequence], logits: torch.Tensor) -> list[int | Exception]:
    """A token for each; where they can't be chosen together, one by one, with what went wrong in the place of a token."""
    try:
        return list(choose(logits, [sequence.draw for sequence in sequences]))
    except Exception as error:
        if len(sequences) == 1:
            return [_freed(error)]
    return [_choose([sequence], logits[index : index + 1])[0] for index, sequence in enumerate(sequences)]


def _freed(error: Exception) -> Exception:
    """The error without the tensors that its frames hold: memory may be what is short."""
    traceback.clear_frames(error.__traceback__)
    return error
