"""What the processor does in a second, measured in about one: multiplying matrices, and reading and writing memory.

Called by `tunesmith probe` in a process of its own, with torch, which training runs on here; other processes make the figures smaller, as
they do a training.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

SIZE = 1024  # of the matrices: what a layer of a small model multiplies, and larger than a core's cache
COPIED = 1 << 28  # bytes that are copied: more than the largest processors' caches have
SECONDS = 0.3  # for each figure


def measure(dtypes: tuple[str, ...] = ("float32",)) -> Mapping[str, Any]:
    """``flops``, dtype -> operations in a second of a matrix product on all threads; ``bandwidth``, bytes in a second read and written.

    Args:
        dtypes: that the device computes in natively.

    Raises:
        ImportError: torch is not here.
    """
    import torch

    flops = {}
    for dtype in dtypes:
        left, right = (torch.ones(SIZE, SIZE, dtype=getattr(torch, dtype)) for _ in range(2))
        flops[dtype] = round(2 * SIZE**3 / _seconds(lambda left=left, right=right: torch.mm(left, right)))  # type: ignore[misc]
    source = torch.ones(COPIED, dtype=torch.uint8)
    target = torch.empty_like(source)
    return {"flops": flops, "bandwidth": round(2 * COPIED / _seconds(lambda: target.copy_(source)))}


def _seconds(work: Callable[[], object]) -> float:
    """Of one call, the shortest of several: what it takes where nothing else comes between."""
    work()
    best, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best
