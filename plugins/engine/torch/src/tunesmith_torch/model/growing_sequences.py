"""Sequences that a model continues a token at a time: prompts go through it once, then each completion has a step at a time.

The engine's own decoder takes completions of many prompts together (`dense.kv_cache`). transformers' models have their own caches: there
the completions of one prompt are together, which are equally long and need no padding. Neither copies a weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from tunesmith_torch.data.packing import Packed
from tunesmith_torch.model.architecture import architecture, head_logits
from tunesmith_torch.model.dense.decoder import Dense
from tunesmith_torch.model.dense.kv_cache import KeyValueCache


class GrowingSequences(Protocol):
    """Rows, one for each completion: those of the first prompt, then those of the second."""

    def begin(self, prompts: Sequence[Sequence[int]], repeats: int) -> torch.Tensor:
        """(rows, vocabulary) float32: logits of each completion's first token."""

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """(rows, vocabulary) float32: logits of the token after these, one of each row."""

    def keep(self, rows: torch.Tensor) -> None:
        """Only these go on."""


def growing_sequences(model: Any, device: torch.device) -> GrowingSequences:
    """Of `model`, in evaluation mode and without gradients."""
    return DenseSequences(model, device) if isinstance(model, Dense) else CachedSequences(model, device)


def takes_several(model: Any) -> bool:
    """Whether completions of several prompts go on together."""
    return isinstance(model, Dense)


class DenseSequences:
    """By the engine's own decoder."""

    def __init__(self, model: Dense, device: torch.device) -> None:
        self.model, self.device, self.found = model, device, architecture(model)

    def begin(self, prompts: Sequence[Sequence[int]], repeats: int) -> torch.Tensor:
        ends = torch.tensor([len(prompt) for prompt in prompts]).cumsum(0).tolist()
        pieces = [(end - len(prompt), end, -1) for end, prompt in zip(ends, prompts, strict=True)]
        tokens = torch.tensor([token for prompt in prompts for token in prompt], device=self.device)
        positions = torch.cat([torch.arange(len(prompt)) for prompt in prompts]).to(self.device)
        self._cache = KeyValueCache(len(self.model.spec.layers), pieces, [repeats] * len(prompts)).to(self.device)
        last = torch.tensor(ends, device=self.device) - 1
        hidden = self.model.cached_states(Packed(tokens, positions, tuple(pieces), last, last, ()), self._cache)
        return head_logits(self.model, hidden, self.found).repeat_interleave(repeats, 0)

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        positions = self._cache.advance()
        every = torch.arange(len(tokens), device=self.device)
        hidden = self.model.cached_states(Packed(tokens, positions, (), every, tokens, ()), self._cache)
        return head_logits(self.model, hidden, self.found)

    def keep(self, rows: torch.Tensor) -> None:
        self._cache.keep(rows)


class CachedSequences:
    """By a model of transformers, with its own cache: of one prompt."""

    def __init__(self, model: Any, device: torch.device) -> None:
        self.model, self.device, self.found = model, device, architecture(model)

    def begin(self, prompts: Sequence[Sequence[int]], repeats: int) -> torch.Tensor:
        from transformers import DynamicCache

        (prompt,) = prompts
        self._cache, self._length = DynamicCache(config=self.model.config.get_text_config()), len(prompt)
        hidden = self._states(torch.tensor([list(prompt)], device=self.device), 0)
        self._cache.batch_repeat_interleave(repeats)
        return head_logits(self.model, hidden[:, -1], self.found).repeat_interleave(repeats, 0)

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        hidden = self._states(tokens[:, None], self._length)
        self._length += 1
        return head_logits(self.model, hidden[:, 0], self.found)

    def keep(self, rows: torch.Tensor) -> None:
        self._cache.batch_select_indices(rows)

    def _states(self, tokens: torch.Tensor, start: int) -> torch.Tensor:
        positions = torch.arange(start, start + tokens.shape[1], device=self.device)[None].expand(len(tokens), -1)
        output = self.model.base_model(input_ids=tokens, position_ids=positions, past_key_values=self._cache, use_cache=True)
        return output.last_hidden_state
