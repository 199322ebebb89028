"""Completions of prompts by the model in training, in its process and on its weights as they are.

From token ids to token ids: each completion comes with the log-probabilities of its tokens and the version of the policy. Text is only made
for rewards, and never tokenized again. Prompts are taken in their order, as many at a time as a bounded cache holds; a prompt runs through
the model once for all its completions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch

from tunesmith_torch.api import Sampling
from tunesmith_torch.model.growing_sequences import growing_sequences, takes_several
from tunesmith_torch.training.experience.token_choice import UniformNumbers, choose
from tunesmith_torch.training.trainable_model import TrainableModel, autocast

CACHE_TOKENS = 2**15  # that all completions of a pass may come to at most: 1.5 GB of keys and values for a model of 135M, in float32
BOUND = {"float32": 1e-3, "bfloat16": 0.05, "float16": 0.02}  # nats a token, by the dtype that both compute in
_SPARSE = 0.75  # share of a pass's rows that still go on, below which the others are taken out of the cache
_STOP_TOKENS = 32  # last tokens that are looked at for a text that stops


class Completion(NamedTuple):
    """What was sampled: ids, log-probabilities, and whether it ended by itself."""

    tokens: list[int]
    log_probs: list[float]
    finished: bool


class Sampler:
    """Of one training step.

    Args:
        ends: ids of the tokens that end a completion.
        decode: ids to text, without special tokens.
        check_cancelled: called between tokens.
    """

    def __init__(
        self, trainable: TrainableModel, sampling: Sampling, ends: Sequence[int], decode: Callable[[list[int]], str],
        device: torch.device, check_cancelled: Callable[[], None],
    ) -> None:  # fmt: skip
        self.trainable, self.sampling, self.ends, self.decode = trainable, sampling, frozenset(ends), decode
        self.device, self._check = device, check_cancelled
        self.seconds, self.tokens = 0.0, 0  #: of the last call

    def bound(self, dtype: str) -> float:
        """Nats a token, on average, that its log-probabilities may lie from the training step's."""
        return BOUND.get(dtype, max(BOUND.values()))

    def rest(self) -> None:
        """It has no memory of its own to give back."""

    def update(self, version: int) -> None:
        """Its weights are those that are trained."""

    def close(self) -> None:
        """It holds nothing."""

    @torch.no_grad()
    def __call__(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[Sequence[object]], *, count: int = 0, longest: Sequence[int] = ()
    ) -> list[list[Completion]]:  # fmt: skip
        """Completions of each prompt.

        Args:
            seeds: of each prompt, what its random numbers follow from; the completion's number is added.
            count: completions of each; 0: `num_generations`.
            longest: of each prompt, tokens that a completion may have; empty: `max_completion_length`.
        """
        self._count, self._longest = count or self.sampling.num_generations, longest or [self.sampling.max_completion_length] * len(prompts)
        training, started = self.trainable.training, time.monotonic()
        self.trainable.eval()
        try:
            with autocast(self.device, self.trainable.compute):
                found = [completions for part in self._passes(prompts) for completions in self._pass(prompts, seeds, part)]
        finally:
            self.trainable.train(training)
            for other in self.trainable.others.values():
                other.eval()
        self.seconds = time.monotonic() - started
        self.tokens = sum(len(completion.tokens) for completions in found for completion in completions)
        return found

    def _passes(self, prompts: Sequence[Sequence[int]]) -> Iterator[range]:
        """Which prompts go together."""
        several, start, used = takes_several(self.trainable.model), 0, 0
        for at, prompt in enumerate(prompts):
            needed = (len(prompt) + self._longest[at]) * self._count
            if at > start and (not several or used + needed > CACHE_TOKENS):
                yield range(start, at)
                start, used = at, 0
            used += needed
        if len(prompts) > start:
            yield range(start, len(prompts))

    def _pass(self, prompts: Sequence[Sequence[int]], seeds: Sequence[Sequence[object]], part: range) -> list[list[Completion]]:
        count = self._count
        sequences = growing_sequences(self.trainable.model, self.device)
        drafts = [_Draft(UniformNumbers(*seeds[at], sample), self._longest[at]) for at in part for sample in range(count)]
        logits, rows = sequences.begin([prompts[at] for at in part], count), list(range(len(drafts)))  # rows of the cache: their drafts
        while True:
            self._check()
            going = [at for at, number in enumerate(rows) if not drafts[number].over]
            open_logits = logits if len(going) == len(rows) else logits[going]
            ids, log_probs = choose(open_logits, self.sampling, [drafts[rows[at]].uniform.next() for at in going])
            drawn = torch.zeros(len(rows), dtype=torch.long, device=self.device)
            drawn[going] = ids
            for at, token, log_prob in zip(going, ids.tolist(), log_probs.tolist(), strict=True):
                self._add(drafts[rows[at]], token, log_prob)
            left = [at for at in going if not drafts[rows[at]].over]
            if not left:
                break
            if len(left) < _SPARSE * len(rows):
                kept = torch.tensor(left, device=self.device)
                sequences.keep(kept)
                drawn, rows = drawn[kept], [rows[at] for at in left]
            logits = sequences.step(drawn)
        done = [Completion(draft.tokens, draft.log_probs, draft.finished) for draft in drafts]
        return [done[start : start + count] for start in range(0, len(done), count)]

    def _add(self, draft: _Draft, token: int, log_prob: float) -> None:
        draft.tokens.append(token)
        draft.log_probs.append(log_prob)
        draft.finished = token in self.ends or self._stopped(draft.tokens)
        draft.over = draft.finished or len(draft.tokens) >= draft.longest

    def _stopped(self, tokens: list[int]) -> bool:
        if not self.sampling.stop:
            return False
        text = self.decode(tokens[-_STOP_TOKENS:])
        return any(stop in text for stop in self.sampling.stop)


class _Draft:
    """A completion as it grows."""

    def __init__(self, uniform: Any, longest: int) -> None:
        self.uniform, self.longest, self.tokens, self.log_probs = uniform, longest, [], []
        self.finished = self.over = False
