"""Settings of the formats."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class ScoredSettings:
    pairs: str = setting(
        "best-worst", "which pairs are made of a row's answers. best-worst: one of the best and the worst; best-others: the best with each "
        "that is worse; all: each with each that is worse", choices=("best-worst", "best-others", "all"),
    )  # fmt: skip
    ranking: str = setting(
        "", "how `ranking` is written. ranks: each answer's place, the least the best; order: the answers' numbers, the best first; empty: "
        "a row whose pairs would be others is refused", choices=("", "ranks", "order"),
    )  # fmt: skip
