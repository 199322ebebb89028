"""One forward pass over a flat batch: what each sequence has new, end to end, without padding."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tunesmith_transformers.model.attention import FlatAttention, Layout, Span
from tunesmith_transformers.model.kv_cache import RowCache
from tunesmith_transformers.model.vision import Seen


@dataclass(frozen=True)
class Chunk:
    """Tokens at positions ``start, start + 1, ...`` of the sequence in cache row `row`.

    `wanted` says at which of them (0 is the first of `tokens`) the next token's logits are wanted; `seen` is what the sequence's prompt is
    to the decoder, where it has pictures.
    """

    row: int
    start: int
    tokens: Sequence[int]
    wanted: Sequence[int] = ()
    seen: Seen | None = None


class Forward:
    """A model with its cache.

    Args:
        model: a causal language model of transformers in eval mode, whose attention comes from `AttentionInterface`.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.device = model.device
        self.cache = RowCache()
        self.attention = FlatAttention(self.cache)
        self.attend(self.attention.name)
        # all logits where the model can't be told which are wanted
        self._selects = "logits_to_keep" in inspect.signature(model.forward).parameters

    def attend(self, implementation: str) -> None:
        """Of the decoder alone; what sees attends as it always does."""
        several = self.model.config.get_text_config() is not self.model.config
        self.model.set_attn_implementation({"text_config": implementation} if several else implementation)

    def close(self) -> None:
        self.attention.close()
        self.cache.clear()

    def __call__(self, chunks: Sequence[Chunk], decoding: int, rows: int, columns: int) -> torch.Tensor:
        """Logits ``[wanted, vocabulary]``, in the order of the chunks.

        Args:
            chunks: the first `decoding` have one token each and are in rows 0, 1, ...
            rows, columns: the cache's size for this pass and after it.
        """
        self.cache.resize(rows, columns)
        ids: list[int] = []
        positions: list[int] = []
        where: list[int] = []
        wanted: list[int] = []
        spans: list[Span] = []
        for index, chunk in enumerate(chunks):
            first, count, base = len(ids), len(chunk.tokens), chunk.row * self.cache.columns + chunk.start
            ids += chunk.tokens
            positions += range(chunk.start, chunk.start + count)
            where += range(base, base + count)
            wanted += [first + offset for offset in chunk.wanted]
            if index >= decoding:
                spans.append(Span(chunk.row, first, chunk.start, count))
        lengths = [chunk.start + 1 for chunk in chunks[:decoding]]
        self.attention.layout = Layout(self._tensor(where), self._tensor(lengths), max(lengths, default=0), spans)
        keep = self._tensor(wanted)
        options = {"logits_to_keep": keep} if self._selects else {}
        seen = any(chunk.seen for chunk in chunks)
        given = self._with_pictures(chunks, ids, positions) if seen else {
            "input_ids": self._tensor(ids)[None], "position_ids": self._tensor(positions)[None],
        }  # fmt: skip
        output = self.model(**given, use_cache=False, **options)
        return output.logits[0] if self._selects else output.logits[0, keep]

    def _with_pictures(self, chunks: Sequence[Chunk], ids: Sequence[int], positions: Sequence[int]) -> dict[str, torch.Tensor]:
        """What the model is given where some of the sequences have pictures."""
        embeds = self.model.get_input_embeddings()(self._tensor([max(token, 0) for token in ids])).clone()
        dimensions = max(chunk.seen.dimensions for chunk in chunks if chunk.seen)
        places = self._tensor(positions).expand(dimensions, -1).clone()
        at = 0
        for chunk in chunks:
            count = len(chunk.tokens)
            if chunk.seen:
                read = chunk.seen.embeds[chunk.start : chunk.start + count]
                embeds[at : at + len(read)] = read
                places[:, at : at + count] = chunk.seen.positions_at(chunk.start, count)
            at += count
        return {"inputs_embeds": embeds[None], "position_ids": places if dimensions == 1 else places[:, None]}

    def _tensor(self, values: Sequence[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=self.device)
