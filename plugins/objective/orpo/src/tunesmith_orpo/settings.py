"""Settings of the objective `orpo`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class OddsRatioSettings:
    beta: float = setting(
        0.1, "what the loss of the odds ratio is multiplied with; the paper's lambda", gt=0, aliases=("lambda", "orpo_alpha")
    )
