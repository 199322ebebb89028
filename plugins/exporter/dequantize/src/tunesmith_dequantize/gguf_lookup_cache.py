"""Spares a conversion half of its time.

transformers parses a GGUF file's header anew for the config and for the weights, and builds the table of tensor names once per module of
the model. Within `reading_once` each is done once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache


@contextmanager
def reading_once() -> Iterator[None]:
    """Remember what two pure functions of the `gguf` package gave for the same arguments. transformers looks them up when it calls them."""
    import gguf

    reader, names = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader, gguf.get_tensor_name_map = lru_cache(maxsize=1)(reader), lru_cache(maxsize=4)(names)
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = reader, names
