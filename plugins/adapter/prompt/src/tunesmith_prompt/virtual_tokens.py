"""What an adapter needs that puts something before every sequence, whatever it puts there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

NAME = "before"  #: of the module in the decoder that holds it

Piece = tuple[int, int, int]  #: first token in the row, the one after the last, and the piece that it continues (-1: none)


class Before(torch.nn.Module):
    """(tokens, width): what stands before a sequence.

    What it gives is a copy: a strategy may take a module's parameters away when its forward pass ends.
    """

    def __init__(self, values: torch.Tensor) -> None:
        super().__init__()
        self.values = torch.nn.Parameter(values)
        self.enabled, self.count = True, len(values)

    def forward(self) -> torch.Tensor:
        return self.values.clone()

    def __len__(self) -> int:
        return self.count


def put(model: Any, before: torch.nn.Module, forward: Callable[..., Any]) -> None:
    """Give the decoder of `model` what stands before its sequences, and the way to run with it.

    Args:
        forward: called as ``forward(decoder, original, before, **inputs)`` in the place of ``original(**inputs)``.
    """
    decoder = model.base_model
    original = decoder.forward
    decoder.add_module(NAME, before)

    def run(input_ids: torch.Tensor | None = None, **inputs: Any) -> Any:
        before = getattr(decoder, NAME)
        if input_ids is not None:
            inputs["input_ids"] = input_ids
        return forward(decoder, original, before, **inputs) if before.enabled else original(**inputs)

    decoder.forward = run


def of(model: Any) -> Any:
    return getattr(model.base_model, NAME)


@contextmanager
def switched_off(model: Any) -> Iterator[Any]:
    before = of(model)
    before.enabled = False
    try:
        yield model
    finally:
        before.enabled = True


def cached(past: Any) -> bool:
    """Whether a cache already holds the beginning, and with it what stands before it."""
    return past is not None and past.get_seq_length() > 0


def longer_mask(mask: torch.Tensor | None, count: int) -> torch.Tensor | None:
    """A padding mask (rows, tokens) for `count` tokens more, which are always seen."""
    if mask is None:
        return None
    if mask.ndim != 2:
        raise TypeError("it is given a mask that says for each pair of tokens whether one sees the other")
    return torch.cat([mask.new_ones(len(mask), count), mask], dim=1)


def segments(positions: torch.Tensor | None, mask: torch.Tensor | None) -> Sequence[Piece] | None:
    """The sequences of a row in which the positions (1, tokens) begin again, as transformers packs them; None if there is one only."""
    if positions is None or mask is not None or positions.ndim != 2 or len(positions) != 1:
        return None
    starts = (positions[0] == 0).nonzero().flatten().tolist()
    if len(starts) < 2 or starts[0] != 0:
        return None
    return [(start, end, -1) for start, end in zip(starts, [*starts[1:], positions.shape[1]], strict=True)]
