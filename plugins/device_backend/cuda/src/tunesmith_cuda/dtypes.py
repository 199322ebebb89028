"""Which types of numbers a GPU computes in natively."""

from __future__ import annotations


def types_of(capability: tuple[int, ...]) -> tuple[str, ...]:
    """From its compute capability: float16 from 5.3, bfloat16 from 8.0."""
    return ("float32", *(["float16"] if capability >= (5, 3) else []), *(["bfloat16"] if capability >= (8, 0) else []))
