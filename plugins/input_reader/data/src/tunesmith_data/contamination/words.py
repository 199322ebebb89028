"""A row as words: what is compared of two rows, whatever their columns are called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
Words = tuple[str, ...]


def pieces(row: Mapping[str, Any]) -> list[Words]:
    """The words of each of the row's texts, in their order, without case and punctuation; a Chinese or Japanese character is a word."""
    return [words for text in _texts(row) if (words := tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold())))]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _texts(one)


def sequences(parts: Sequence[Words], length: int) -> Iterator[int]:
    """A hash of each `length` words that follow one another in one of the texts."""
    for words in parts:
        for start in range(len(words) - length + 1):
            yield hash(words[start : start + length])
