"""Settings of the verb `verdict` and of the evaluator `regression`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_generation.api import NOT_SCORED, RequestSettings


@dataclass(frozen=True, kw_only=True)
class VerdictSettings:
    metric: str = setting(help="metric of the task that has to be better than the base's", examples=("exact_match",))
    better: str = setting("higher", "which direction of it is better", choices=("higher", "lower"))


@dataclass(frozen=True)
class RegressionSettings(RequestSettings):
    areas: list[str] = setting(
        [], "what is asked about: instructions, refusals, arithmetic, language, repetition; none: all of them", examples=(["arithmetic"],)
    )
    max_not_scored: float = setting(0.2, NOT_SCORED, ge=0, le=1, effect={"call": "tunesmith_statistics:Counts.check"}, examples=(0.5,))
