"""A decoder run with the prefix in its key-value cache, as if it had read it.

The cache is one for a whole row, so sequences that share a row are run one by one: the engine's packed rows are declined, and it does so
itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from transformers import DynamicCache

from tunesmith_prefix.estimate import checkpointing
from tunesmith_prompt.api import cached, longer_mask, segments


class Sizes(NamedTuple):
    """Layers, heads of keys and values, and the size of each."""

    layers: int
    heads: int
    head: int

    @classmethod
    def of(cls, config: Any) -> Sizes:
        text = config.get_text_config()
        heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
        return cls(text.num_hidden_layers, heads, getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads)

    @property
    def width(self) -> int:
        """Numbers in a token's keys, and in its values."""
        return self.heads * self.head

    @property
    def made(self) -> int:
        """Numbers in a token of the prefix."""
        return self.layers * 2 * self.width


def run(
    decoder: Any, original: Callable[..., Any], before: Any, *, input_ids: torch.Tensor | None = None,
    inputs_embeds: torch.Tensor | None = None, attention_mask: torch.Tensor | None = None, position_ids: torch.Tensor | None = None,
    past_key_values: Any = None, packed_pieces: Any = None, cache_position: Any = None, **more: Any,
) -> Any:  # fmt: skip
    """The decoder's output for the given tokens after the prefix.

    Raises:
        TypeError: in a packed row.
        UserError: TS-TRAIN-043 in training with gradient checkpointing.
    """
    if packed_pieces is not None:
        raise TypeError("each of them begins after a prefix of its own")
    if decoder.training and getattr(decoder, "gradient_checkpointing", False):
        raise checkpointing()
    given = {"input_ids": input_ids} if inputs_embeds is None else {"inputs_embeds": inputs_embeds}
    if past_key_values is None and (alone := segments(position_ids, attention_mask)):
        outputs = [
            run(decoder, original, before, **{name: value[:, start:end] for name, value in given.items()}, **more)
            for start, end, _ in alone
        ]
        outputs[0].last_hidden_state = torch.cat([output.last_hidden_state for output in outputs], dim=1)
        return outputs[0]
    count = len(before)
    past = past_key_values if past_key_values is not None else DynamicCache(config=decoder.config)
    if not cached(past):
        rows = len(next(iter(given.values())))
        fill(past, before().to(decoder.get_input_embeddings().weight.dtype), rows, Sizes.of(decoder.config))
    output = original(
        **given, attention_mask=longer_mask(attention_mask, count), past_key_values=past,
        position_ids=None if position_ids is None else position_ids + count, **more,
    )  # fmt: skip
    if past_key_values is None and more.get("use_cache") is False:
        output.past_key_values = None
    return output


def fill(cache: Any, prefix: torch.Tensor, rows: int, sizes: Sizes) -> None:
    """Put the prefix (tokens, layers * 2 * width) before each of `rows`."""
    parts = prefix.view(len(prefix), sizes.layers, 2, sizes.heads, sizes.head).permute(1, 2, 3, 0, 4)
    for layer, (keys, values) in enumerate(parts):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
