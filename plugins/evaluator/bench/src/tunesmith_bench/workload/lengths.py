"""How long prompts and answers are: one length, or a distribution of them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from tunesmith.contracts import UserError

FORMS = "128, normal:128:32, lognormal:128:64, each with bounds as normal:128:32:16:512"
_MOST = 1_000_000
_TRIES = 1000


@dataclass(frozen=True)
class Length:
    """A distribution of lengths in tokens, within bounds.

    Args:
        kind: ``fixed``, ``normal`` or ``lognormal``; mean and standard deviation are of the distribution itself (not of the logarithm),
            before what lies out of bounds is drawn again.
    """

    kind: str
    mean: float
    deviation: float = 0.0
    least: int = 1
    most: int = _MOST

    def draw(self, chance: random.Random) -> int:
        """A length. What lies beyond the bounds is drawn again; after many tries the nearest bound is taken."""
        value = self.mean
        for _ in range(_TRIES):
            if self.kind == "normal":
                value = chance.gauss(self.mean, self.deviation)
            elif self.kind == "lognormal":
                squared = math.log1p((self.deviation / self.mean) ** 2)
                value = chance.lognormvariate(math.log(self.mean) - squared / 2, math.sqrt(squared))
            if self.least <= round(value) <= self.most:
                break
        return min(max(round(value), self.least), self.most)

    def __str__(self) -> str:
        if self.kind == "fixed":
            return f"{self.mean:g}"
        bounds = f":{self.least}:{self.most}" if (self.least, self.most) != (1, _MOST) else ""
        return f"{self.kind}:{self.mean:g}:{self.deviation:g}{bounds}"


def parse_length(text: str) -> Length:
    """
    Raises:
        UserError: TS-BENCH-002 for what is no length.
    """
    kind, *rest = text.strip().split(":")
    try:
        if not rest:
            kind, rest = "fixed", [kind]
        numbers = [float(word) for word in rest]
        many = {"fixed": (1,), "normal": (2, 4), "lognormal": (2, 4)}[kind]
        length = Length(kind, *numbers[:2], *(int(word) for word in numbers[2:]))
        fits = len(numbers) in many and all(map(math.isfinite, numbers)) and length.deviation >= 0
        if fits and 1 <= length.mean <= _MOST and 1 <= length.least <= length.most <= _MOST:
            return length
    except (ValueError, KeyError):
        pass
    raise UserError("TS-BENCH-002", f"`{text}` is no length", why="Lengths are in tokens, at least 1.", fix=f"Write it as {FORMS}.")
