"""What is told of a token: how likely the model took it, and others in its place, to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TokenLogprob:
    """A token's log-probability (None for the first of a text), and the likeliest tokens in its place."""

    token: int
    logprob: float | None
    top: tuple[tuple[int, float], ...] = ()
