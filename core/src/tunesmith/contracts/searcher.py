"""Contract of kind ``searcher``: proposes settings to try and learns from their scores (hyper-parameter search)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Searcher(Protocol):
    def ask(self) -> Mapping[str, Any] | None:
        """The next settings to try, or None when the budget is spent. Deterministic in its seed."""

    def tell(self, settings: Mapping[str, Any], score: float) -> None:
        """The score of settings that `ask` gave; higher is better."""
