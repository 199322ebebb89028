"""Attention over a flat batch: the tokens of many sequences in one row, each attending to its own sequence only.

Registered with transformers' `AttentionInterface`, so that any model that gets its attention from there is served unchanged, with no
padding. It writes the keys and values into the `RowCache` itself; the model is called without a cache of its own. Sequences that decode
(one new token each) are attended to in one call over the first rows of the cache; the query heads that share a key head become its
queries, so that grouped keys are read once and not repeated. Parts of prompts are attended to one by one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from tunesmith_transformers.model.kv_cache import Layer, RowCache


@dataclass
class Span:
    """Tokens ``[first, first + count)`` of the flat batch: positions ``[start, start + count)`` of the sequence in cache row `row`."""

    row: int
    first: int
    start: int
    count: int


@dataclass
class Layout:
    """Where each token of a flat batch belongs. The first `lengths` tokens decode, in rows 0, 1, ...; the spans follow.

    Args:
        where: flat place in the cache of every token.
        lengths: positions that each decoding row attends to, its new token included.
        columns: the longest of them.
    """

    where: torch.Tensor
    lengths: torch.Tensor
    columns: int
    spans: list[Span]
    masks: dict[int | None, torch.Tensor | None] = field(default_factory=dict)

    def decode_mask(self, window: int | None, dtype: torch.dtype) -> torch.Tensor | None:
        """Additive ``[rows, 1, 1, columns]``, made once per step and window size; None if nothing is hidden."""
        if window not in self.masks:
            at = torch.arange(self.columns, device=self.lengths.device)
            hidden = at >= self.lengths[:, None]
            if window is not None:
                hidden |= at < self.lengths[:, None] - window
            mask = torch.zeros(hidden.shape, dtype=dtype, device=hidden.device).masked_fill_(hidden, -torch.inf)
            self.masks[window] = mask[:, None, None] if bool(hidden.any()) else None
        return self.masks[window]


class FlatAttention:
    """The attention function of one served model; set `layout` before each forward pass."""

    def __init__(self, cache: RowCache) -> None:
        self.cache = cache
        self.layout: Layout | None = None
        self.windows: set[int] = set()  # sizes of sliding windows that the model has asked for
        self.name = f"tunesmith-{uuid.uuid4().hex[:8]}"
        AttentionInterface.register(self.name, self)

    def close(self) -> None:
        """Forget the registration."""
        AttentionInterface._global_mapping.pop(self.name, None)

    def __call__(
        self, module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: torch.Tensor | None, **options: Any
    ) -> tuple[torch.Tensor, None]:
        """`query` ``[1, heads, tokens, size]``, `key` and `value` with their own heads; gives ``[1, tokens, heads, size]``."""
        layout, window = self.layout, options.get("sliding_window") or None
        assert layout is not None
        if window:
            self.windows.add(window)
        key, value = key[0].transpose(0, 1), value[0].transpose(0, 1)
        layer = self.cache.layer(module.layer_idx, key, value)
        layer.write(key, value, layout.where)
        parts = []
        decoding = len(layout.lengths)
        if decoding:
            parts.append(self._decode(layer, query[0, :, :decoding], layout, window, options))
        for span in layout.spans:
            chosen = slice(span.first, span.first + span.count)
            parts.append(self._prefill(layer, query[:, :, chosen], key[chosen], value[chosen], span, window, options))
        return (parts[0] if len(parts) == 1 else torch.cat(parts))[None], None

    @staticmethod
    def _decode(layer: Layer, query: torch.Tensor, layout: Layout, window: int | None, options: dict[str, Any]) -> torch.Tensor:
        rows = query.shape[1]
        keys, values = (t[:rows, : layout.columns].transpose(1, 2) for t in (layer.keys, layer.values))
        grouped = query.transpose(0, 1).reshape(rows, keys.shape[1], -1, query.shape[-1])
        out = attend(grouped, keys, values, layout.decode_mask(window, query.dtype), False, options)
        return out.reshape(rows, query.shape[0], -1)

    @staticmethod
    def _prefill(
        layer: Layer, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, span: Span, window: int | None, options: dict[str, Any]
    ) -> torch.Tensor:
        end = span.start + span.count
        if span.start:  # an earlier part of the prompt is in the cache
            key, value = layer.keys[span.row, :end], layer.values[span.row, :end]
        mask = None
        if span.start or (window and window < end):
            at, own = torch.arange(end, device=query.device), torch.arange(span.start, end, device=query.device)[:, None]
            seen = at <= own
            if window:
                seen &= at > own - window
            mask = torch.zeros(seen.shape, dtype=query.dtype, device=query.device).masked_fill_(~seen, -torch.inf)
        out = attend(query, key.transpose(0, 1)[None], value.transpose(0, 1)[None], mask, mask is None, options)
        return out[0].transpose(0, 1)


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, causal: bool, options: dict[str, Any]
) -> torch.Tensor:
    """Scaled dot-product attention with grouped heads, and the two extras that models ask for: capped scores and sinks."""
    scale, cap, sinks = options.get("scaling"), options.get("softcap"), options.get("s_aux")
    if cap is None and sinks is None:
        grouped = query.shape[1] != key.shape[1]
        return scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal, scale=scale, enable_gqa=grouped)
    batch, heads, length, size = query.shape
    groups = key.shape[1]
    scores = query.reshape(batch, groups, -1, size) @ key.transpose(2, 3) * (size**-0.5 if scale is None else scale)
    scores = scores.view(batch, groups, heads // groups, length, -1).float()
    if cap is not None:
        scores = torch.tanh(scores / cap) * cap
    if causal:
        mask = torch.full((length, length), -torch.inf, device=query.device).triu(1)
    if mask is not None:
        scores = scores + (mask if mask.dim() == 2 else mask[:, :, None])
    if sinks is not None:  # a learned score per query head that takes its share of the softmax and gives nothing
        own = sinks.float().view(1, groups, -1, 1, 1) if sinks.numel() == heads else sinks.float().view(1, groups, 1, -1, 1)
        scores = torch.cat([scores, own.expand(*scores.shape[:-1], 1)], -1)
    weights = scores.softmax(-1).to(value.dtype)[..., : key.shape[2]]
    return (weights.flatten(2, 3) @ value).view(batch, heads, length, -1)
