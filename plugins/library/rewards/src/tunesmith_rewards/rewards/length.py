"""1 for a completion of the length that was asked for; beyond it less, in a straight line.

With `at_least` 0 it is the soft punishment of what is too long in DAPO (Yu et al. 2025, arXiv:2503.14476, equation 13) plus 1:
`at_most` is its L_max - L_cache, `falloff` its L_cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_rewards.rewards.settings import LengthSettings


class Length:
    def __init__(self, settings: LengthSettings) -> None:
        self.settings = settings

    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float | None:
        settings = self.settings
        length = len(completion.split()) if settings.unit == "words" else len(completion)
        beyond = max(settings.at_least - length, length - settings.at_most, 0)
        return 1.0 if not beyond else max(1.0 - beyond / settings.falloff, 0.0) if settings.falloff else 0.0
