"""Settings of the formats."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class RatingSettings:
    neutral: str = setting("wrong", "what a step is that was rated 0, neither right nor wrong", choices=("wrong", "right"))
