"""Settings of the objective `simpo`. Names are TRL's."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class SimpleSettings:
    beta: float = setting(2.0, "what the mean log-probability of a token is multiplied with to be the reward", gt=0)
    simpo_gamma: float = setting(
        1.0, "by how much the reward of the chosen answer should be above that of the rejected one", ge=0, aliases=("gamma",)
    )
    label_smoothing: float = setting(0.0, "share of pairs assumed to be labelled the wrong way round", ge=0, lt=0.5)
