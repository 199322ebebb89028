"""What texts are about, by the words that experts of a field use: `domains.json` has some dozens for each, in English and Chinese.

A text counts for a field that has at least two different words in it; a single one ("treatment of customers") says little.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

DIFFERENT = 2  # words of a field that have to be in a text
SAID = 0.1  # share of the texts from which on a field is told


@cache
def _patterns() -> Mapping[str, tuple[re.Pattern[str], frozenset[str]]]:
    """For each field its words of letters with spaces around, as one pattern, and those of scripts that write without spaces."""
    known = json.loads((Path(__file__).parent / "domains.json").read_text(encoding="utf-8"))
    return {name: (_pattern(words["spaced"]), frozenset(words["unspaced"].split())) for name, words in known.items()}


def _pattern(words: str) -> re.Pattern[str]:
    either = "|".join(re.escape(word.replace("_", " ")) for word in sorted(words.split(), key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{either})(?:s|es)?(?!\w)", re.IGNORECASE)


def domains_in(text: str) -> set[str]:
    """The fields that a text is of."""
    found = set()
    for name, (pattern, unspaced) in _patterns().items():
        words = {match.casefold() for match in pattern.findall(text)} | {word for word in unspaced if word in text}
        if len(words) >= DIFFERENT:
            found.add(name)
    return found


def domains_of(texts: Iterable[str]) -> dict[str, float]:
    """Share of the texts in each field that is in a tenth of them at least, the most first."""
    found: Counter[str] = Counter()
    total = 0
    for text in texts:
        found.update(domains_in(text))
        total += 1
    return {name: round(count / total, 3) for name, count in found.most_common() if count >= SAID * total}
