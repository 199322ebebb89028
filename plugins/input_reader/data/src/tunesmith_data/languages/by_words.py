"""Which languages texts are in, by their script and, where several share one, by the words that every sentence of a language has.

`languages.json` has both: scripts by ranges of code points (Unicode's blocks), and some thirty of the commonest words of each language.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

LATIN, CYRILLIC, HAN, KANA = "latin", "cyrillic", "han", "kana"
ENOUGH = 0.08  # share of a text's words that have to be among a language's commonest: in running text a quarter to a half are
SAID = 0.05  # share of all characters from which on a language is told: short texts are taken for a neighbouring language at times
KANA_SHARE = 0.05  # of the letters of Japanese at least so many are kana; Chinese has none
_WORDS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


@cache
def _known() -> Mapping[str, Any]:
    return dict(json.loads((Path(__file__).parent / "languages.json").read_text(encoding="utf-8")))


@cache
def _scripts() -> tuple[tuple[int, int, str], ...]:
    """(first, last, script), by code points."""
    ranges = ((name, one) for name, blocks in _known()["scripts"].items() for one in blocks)
    return tuple((int(first, 16), int(last, 16), name) for name, (first, last) in ranges)


@cache
def _script_of(letter: str) -> str:
    code = ord(letter)
    return next((name for first, last, name in _scripts() if first <= code <= last), "")


def language_of(text: str) -> str:
    """The language of a text as ISO 639-1 has it; empty where too little tells."""
    letters = Counter(_script_of(letter) for letter in text if letter.isalpha())
    letters.pop("", None)
    if not letters:
        return ""
    if letters[KANA] >= KANA_SHARE * (letters[KANA] + letters[HAN]) and letters[KANA]:
        letters[KANA] += letters.pop(HAN, 0)
    # a letter of Chinese or Japanese stands for as much as a word's first two or three of the others
    weight = {HAN: 3, KANA: 2}
    script = max(letters, key=lambda name: letters[name] * weight.get(name, 1))
    alone: Mapping[str, str] = _known()["alone"]
    if script in alone:
        return str(alone[script])
    words = [word.casefold() for word in _WORDS.findall(text)]
    hits = {name: [word for word in words if word in commonest] for name, commonest in _common(script).items()}
    common = {name: len(found) if max(map(len, found), default=0) > 1 else 0 for name, found in hits.items()}  # x and y are no words
    best = max(common, key=lambda name: common[name], default="")
    return best if best and words and common[best] >= ENOUGH * len(words) else ""


@cache
def _common(script: str) -> Mapping[str, frozenset[str]]:
    """The commonest words of the languages that are written in a script."""
    return {name: frozenset(words.split()) for name, words in _known()["words"].get(script, {}).items()}


def languages_of(texts: Iterable[str]) -> dict[str, float]:
    """Share of the characters in each language that has a twentieth of them at least, the most first. What can't be told is of no language,
    and counts in the shares."""
    found: Counter[str] = Counter()
    for text in texts:
        found[language_of(text)] += len(text)
    total = sum(found.values())
    return {name: round(count / total, 3) for name, count in found.most_common() if name and count >= SAID * total}
