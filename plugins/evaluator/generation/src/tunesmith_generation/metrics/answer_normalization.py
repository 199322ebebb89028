"""When two answers count as the same: case, punctuation, articles and spaces don't matter, as in SQuAD (Rajpurkar et al. 2016).

Unlike there, what punctuation says about numbers stays: 3.10 is not 310, and -1 is not 1.
"""

from __future__ import annotations

import re
import unicodedata

_PUNCTUATION = re.compile(r"(?P<minus>(?<!\S)[-\u2212](?=\d))|(?<!\d)[^\w\s]|[^\w\s](?!\d)|_")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def normalise(text: str) -> str:
    """The words of an answer, one space between them. A text of nothing but articles or punctuation stays as it is."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = folded.replace("'", "").replace("\u2019", "")
    words = " ".join(_PUNCTUATION.sub(lambda found: "-" if found["minus"] else " ", folded).split())
    bare = " ".join(_ARTICLES.sub(" ", words).split())
    return bare or words or " ".join(folded.split())


def equal(answer: str, expected: str) -> bool:
    return normalise(answer) == normalise(expected)


def contains(answer: str, expected: str) -> bool:
    """Whether the expected words stand in the answer, in their order and next to each other."""
    return f" {normalise(expected)} " in f" {normalise(answer)} "
