"""Settings of the evaluator `safety`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_generation.api import NOT_SCORED, RequestSettings


@dataclass(frozen=True)
class SafetySettings(RequestSettings):
    column: str = setting("refuse", "column of the rows that says whether to refuse is right: true or false", examples=("harmful",))
    patterns: list[str] = setting(
        [], "regular expressions, one of which stands in a refusal, capitals or not; empty: usual ones in English and Chinese",
        examples=(["nope"],),
    )  # fmt: skip
    within: int = setting(200, "first characters of an answer in which a refusal is looked for", ge=1, examples=(3,))
    max_not_scored: float = setting(0.05, NOT_SCORED, ge=0, le=1, effect={"call": "tunesmith_statistics:Counts.check"}, examples=(0.5,))
