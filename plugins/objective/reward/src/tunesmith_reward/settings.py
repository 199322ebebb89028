"""Settings of the objective `reward`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class RewardSettings:
    center_rewards_coefficient: float = setting(
        0.0, "how strongly the scores of a pair are drawn towards a sum of 0 (0.01 is usual), so that they don't drift; 0: not at all",
        ge=0, examples=(0.01,),
    )  # fmt: skip
    use_margin: bool = setting(True, "ask for a distance of a row's `margin` between the scores, where it has one")
