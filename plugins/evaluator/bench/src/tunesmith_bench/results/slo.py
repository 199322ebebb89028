"""What is asked of a server's answers: a service level objective, and who keeps it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tunesmith.contracts import UserError
from tunesmith_bench.load.record import Record

NAMES = ("ttft", "itl", "e2e")
_UNITS = {"ms": 0.001, "s": 1.0, "us": 1e-6}
_BOUND = re.compile(r"\s*(\w+)\s*=\s*(\d+(?:\.\d+)?)\s*(ms|us|s)\s*")


@dataclass(frozen=True)
class Slo:
    """
    Args:
        bounds: seconds that each answer may take at most, by figure (``ttft``, ``itl``, ``e2e``).
        share: of the requests that have to keep all bounds; 0.99 is what "p99 below" means.
    """

    bounds: Mapping[str, float] = field(default_factory=dict)
    share: float = 0.99

    def keeps(self, record: Record) -> bool:
        """Whether a request keeps every bound. One that failed keeps none, nor does one whose tokens nobody counted where `itl` is bounded;
        an answer of a single token has no time between tokens."""
        if not record.answered or ("itl" in self.bounds and record.output_tokens is None):
            return False
        return all((value := getattr(record, name)) is None or value <= bound for name, bound in self.bounds.items())

    def __str__(self) -> str:
        return ",".join(f"{name}={bound * 1000:g}ms" for name, bound in self.bounds.items())


def parse_slo(text: str, share: float = 0.99) -> Slo:
    """
    Args:
        text: ``ttft=300ms,itl=50ms``; empty: no bound.

    Raises:
        UserError: TS-BENCH-001 for what is none.
    """
    bounds: dict[str, float] = {}
    for part in filter(str.strip, text.split(",")):
        found = _BOUND.fullmatch(part)
        if not found or found[1] not in NAMES or found[1] in bounds or float(found[2]) <= 0:
            fix = f"Write it as ttft=300ms,itl=50ms: of {', '.join(NAMES)}, each once, in ms or s."
            raise UserError("TS-BENCH-001", f"`{part.strip()}` is no service level objective", fix=fix)
        bounds[found[1]] = float(found[2]) * _UNITS[found[3]]
    return Slo(bounds, share)
