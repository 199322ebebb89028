"""Several data files where one belongs: ``[a.jsonl, b.jsonl]``, or with the share of each ``{a.jsonl: 0.7, b.jsonl: 0.3}``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mixture:
    """
    Args:
        paths: as the user wrote them.
        weights: the share that each has in the rows; empty: all rows of all files.
    """

    paths: tuple[str, ...]
    weights: tuple[float, ...] = ()

    def __str__(self) -> str:
        return " and ".join(self.paths)


def read_mixture(value: Any) -> Mixture | str:
    """What a list or a mapping in a step says; a sentence of what is wrong with it."""
    paths = list(value)
    if not paths or not all(isinstance(path, str) and path for path in paths):
        return f"should name files, got {value!r}"
    if len(set(paths)) < len(paths):
        return "names a file twice"
    if not isinstance(value, Mapping):
        return Mixture(tuple(paths))
    weights = list(value.values())
    for path, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < math.inf:
            return f"should give {path} a weight above 0, got {weight!r}"
    return Mixture(tuple(paths), tuple(float(weight) for weight in weights))
