"""When requests arrive in an open loop."""

from __future__ import annotations

import random
from collections.abc import Iterator


def poisson(rate: float, seed: int) -> Iterator[float]:
    """Seconds from the start, of a Poisson process: gaps are exponential with mean ``1 / rate``, whatever the server does."""
    draw = random.Random(seed)
    at = 0.0
    while True:
        at += draw.expovariate(rate)
        yield at


def constant(rate: float, seed: int = 0) -> Iterator[float]:
    """Evenly spaced, the first after a whole gap."""
    number = 0
    while True:
        number += 1
        yield number / rate


ARRIVALS = {"poisson": poisson, "constant": constant}
