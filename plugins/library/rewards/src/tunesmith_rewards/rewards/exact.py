"""1 where the completion is the row's answer, but for spaces and capitals; else 0."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from tunesmith_rewards.api.column import column
from tunesmith_rewards.rewards.settings import ExactSettings, compiled


class Exact:
    def __init__(self, settings: ExactSettings) -> None:
        self.settings = settings
        self._extract = compiled(settings.extract, "extract") if settings.extract else None

    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float | None:
        expected = self._plain(str(column(row, self.settings.column)))
        if self._extract is None:
            return float(self._plain(completion) == expected)
        found = list(self._extract.finditer(completion))
        if not found:
            return 0.0
        said = found[-1][1] if self._extract.groups else found[-1][0]
        return float(self._plain(said or "") == expected)

    def _plain(self, text: str) -> str:
        words = " ".join(unicodedata.normalize("NFKC", text).split())
        return words if self.settings.case_sensitive else words.casefold()
