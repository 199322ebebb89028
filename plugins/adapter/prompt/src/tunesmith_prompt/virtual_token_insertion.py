"""A row of tokens with embeddings before each of its sequences.

In a packed row every piece that begins a sequence gets them, and what continues it sees them with the rest: the values and gradients are
those of the sequences alone. Outputs are those of the row as it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from tunesmith_prompt.virtual_tokens import Before, Piece, cached, longer_mask, segments


def run(
    decoder: Any, original: Callable[..., Any], before: Before, *, input_ids: torch.Tensor | None = None,
    inputs_embeds: torch.Tensor | None = None, attention_mask: torch.Tensor | None = None, position_ids: torch.Tensor | None = None,
    past_key_values: Any = None, packed_pieces: tuple[Piece, ...] | None = None, cache_position: Any = None, **more: Any,
) -> Any:  # fmt: skip
    """The decoder's output for the given tokens, with `before` before them, or already in the cache."""
    count = len(before)
    mask = longer_mask(attention_mask, count)
    if cached(past_key_values):
        shifted = None if position_ids is None else position_ids + count
        return original(
            input_ids=input_ids,
            inputs_embeds=inputs_embeds,
            attention_mask=mask,
            position_ids=shifted,
            past_key_values=past_key_values,
            **more,
        )
    given = decoder.get_input_embeddings()(input_ids) if inputs_embeds is None else inputs_embeds
    pieces = packed_pieces or segments(position_ids, attention_mask) or ((0, given.shape[1], -1),)
    if packed_pieces:
        more["packed_pieces"] = longer(pieces, count)
    output = original(
        inputs_embeds=_laid(given, before().to(given.dtype).expand(len(given), -1, -1), pieces), attention_mask=mask,
        position_ids=None if position_ids is None else _positions(position_ids, pieces, count), past_key_values=past_key_values, **more,
    )  # fmt: skip
    kept = torch.cat([torch.arange(end - (old[1] - old[0]), end) for (_, end, _), old in zip(longer(pieces, count), pieces, strict=True)])
    output.last_hidden_state = output.last_hidden_state[:, kept.to(given.device)]
    return output


def longer(pieces: Iterable[Piece], count: int) -> tuple[Piece, ...]:
    """Where the pieces are when each that begins a sequence is `count` tokens longer."""
    moved, at = [], 0
    for start, end, parent in pieces:
        length = end - start + (count if parent < 0 else 0)
        moved.append((at, at + length, parent))
        at += length
    return tuple(moved)


def _laid(given: torch.Tensor, before: torch.Tensor, pieces: Iterable[Piece]) -> torch.Tensor:
    """(rows, tokens, ...): `before` (rows, count, ...) before each piece of `given` that begins a sequence."""
    parts = [part for start, end, parent in pieces for part in ((before,) if parent < 0 else ()) + (given[:, start:end],)]
    return torch.cat(parts, dim=1)


def _positions(positions: torch.Tensor, pieces: Iterable[Piece], count: int) -> torch.Tensor:
    first = torch.arange(count, device=positions.device).expand(len(positions), -1)
    return _laid(positions + count, first, pieces)
