"""Settings of the searchers."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class GridSettings:
    points: int = setting(3, "values of each range of numbers, its ends among them; choices are all tried", ge=1)


@dataclass(frozen=True)
class HalvingSettings:
    trials: int = setting(9, "trials that begin together; of them the better ones go on", ge=2)
    reduction_factor: int = setting(3, "one in so many goes on at each stage, so many times as far", ge=2, aliases=("eta",))
