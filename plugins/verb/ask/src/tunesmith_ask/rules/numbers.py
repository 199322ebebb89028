"""Numbers as people write them: ``2``, ``1e-4``, ``two``, ``two and a half``, ``十六``."""

from __future__ import annotations

import re
from collections.abc import Mapping

DIGITS = "零一二三四五六七八九"
_ONE = "[一二两三四五六七八九]"
_HAN = f"(?=[零一二两三四五六七八九十百])(?:{_ONE}?百)?(?:{_ONE}?十)?[零一二两三四五六七八九]?"
_AND_A_HALF = " and a half"
FIGURES = r"\d{1,12}(?:\.\d{1,12})?(?:e-?\d{1,2})?"


def pattern(words: Mapping[str, float]) -> str:
    """What matches a number, without a group."""
    known = "|".join(sorted((re.escape(word) for word in words if word.isascii()), key=len, reverse=True))
    others = "|".join(re.escape(word) for word in words if not word.isascii())
    return rf"(?:(?:{FIGURES}|(?:{known})(?![a-z]))(?:{_AND_A_HALF})?|{_HAN}" + (f"|{others})" if others else ")")


def value(text: str, words: Mapping[str, float]) -> float:
    """What a match of `pattern` means."""
    if text.endswith(_AND_A_HALF):
        return value(text.removesuffix(_AND_A_HALF), words) + 0.5
    if text in words:
        return float(words[text])
    if re.fullmatch(FIGURES, text):
        return float(text)
    return float(_han(text.replace("两", "二")))


def _han(text: str) -> int:
    """Up to 999: ``十六`` is 16, ``二十`` 20, ``一百`` 100."""
    hundreds, _, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    number = 100 * (DIGITS.index(hundreds[-1]) if hundreds else 0)
    number += 10 * (DIGITS.index(tens[-1]) if tens else 1) if ten else 0
    return number + (DIGITS.index(ones[-1]) if ones else 0)
