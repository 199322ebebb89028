"""1 where a regular expression matches the completion, else 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_rewards.rewards.settings import RegexSettings, compiled


class Regex:
    def __init__(self, settings: RegexSettings) -> None:
        pattern = compiled(settings.pattern, "pattern")
        self._matches = pattern.fullmatch if settings.match == "fullmatch" else pattern.search

    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float | None:
        return float(self._matches(completion) is not None)
