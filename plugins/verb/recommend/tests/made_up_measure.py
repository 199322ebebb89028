"""What a made-up device backend measures with."""

from __future__ import annotations


def measure(dtypes):
    print("libraries print")
    return {"flops": {dtype: 7e12 for dtype in dtypes}, "bandwidth": 3e11, "colour": "red"}


def absent(dtypes):
    import a_library_that_nobody_has  # noqa: F401


def broken(dtypes):
    raise RuntimeError("the beads are stuck")
