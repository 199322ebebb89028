"""What came of looking for the highest rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RateSearch:
    """
    Args:
        kept, broken: the highest rate that kept the objective, the lowest above it that did not; 0: none was found.
        goodput: requests a second within the objective, at `kept`.
        probes: what was tried: rate, the share of requests that kept it, whether that is enough and if not, why.
    """

    kept: float
    broken: float
    goodput: float | None
    probes: list[dict[str, Any]]
