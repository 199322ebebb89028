"""1 where the answer of a completion equals that of the row, as mathematics: 1/2 is 0.5 and \\frac{1}{2}. By math-verify.

The row's answer that math-verify can't read leaves the completion unscored; a completion without a readable answer gets 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_math_reward.settings import MathSettings
from tunesmith_rewards.api import column

_LONGEST = 2000  # characters of a completion, from its end, in which an answer is looked for: sympy takes its time


class Math:
    def __init__(self, settings: MathSettings) -> None:
        from math_verify import ExprExtractionConfig, LatexExtractionConfig

        self.settings = settings
        latex, plain = LatexExtractionConfig(), ExprExtractionConfig()
        self._extract = [latex] if settings.extract == "latex" else [latex, plain]
        self._any = [latex, plain]

    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float | None:
        from math_verify import verify

        expected = str(column(row, self.settings.column))
        gold = self._parsed(expected, self._any) or self._parsed(f"${expected}$", self._any)
        if not gold:
            return None
        said = self._parsed(completion[-_LONGEST:], self._extract)
        if not said:
            return 0.0
        # no timeouts of math-verify's own, which are alarms: the runner ends what hangs
        equal = verify(gold, said, float_rounding=self.settings.float_rounding, strict=self.settings.strict, timeout_seconds=None)
        return float(equal)

    def _parsed(self, text: str, extract: list[Any]) -> list[Any]:
        from math_verify import parse

        found: list[Any] = parse(text, extraction_config=extract, parsing_timeout=None)
        return found
