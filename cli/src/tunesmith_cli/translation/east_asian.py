"""Widths of texts in a terminal, where Chinese characters take two columns, and lines that are as wide as that."""

from __future__ import annotations

import re
import unicodedata

_ANSI = re.compile("\x1b\\[[0-9;]*m")
# what is not torn apart: a word with its spaces before, or one wide character with the punctuation that may not begin a line
_WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6"
_CLOSING = ",.;:!?)\\]}\u3001\u3002\uff0c\uff1a\uff1b\uff1f\uff01\uff09\u300b\u300d\u300f\u201d\u2019"
_OPENING = "(\\[{\uff08\u300a\u300c\u300e\u201c\u2018"
_PIECE = re.compile(f" *[{_OPENING}]*(?:[{_WIDE}]|[^ {_WIDE}{_OPENING}]+)[{_CLOSING}]*| +|.")


def text_width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    if text.isascii():
        return len(_ANSI.sub("", text)) if "\x1b" in text else len(text)
    return sum(0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in _ANSI.sub("", text))


def padded(text: str, width: int) -> str:
    """The text with spaces up to so many columns."""
    return text + " " * (width - text_width(text))


def wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Lines of at most `width` columns, the first after `first`, the others after `rest`; a word that is longer has a line of its own."""
    lines, line, empty = [], first, True
    for piece in _PIECE.findall(text):
        piece = piece if not empty else piece.lstrip()
        if not empty and text_width(line + piece) > width:
            lines.append(line.rstrip())
            line, piece = rest, piece.lstrip()
        line += piece
        empty = empty and not piece
    return [*lines, line.rstrip()]
