"""A sentence, read by rules: what has a name here is found, the rest is said to be not understood."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tunesmith_ask.request import Request
from tunesmith_ask.rules import numbers
from tunesmith_ask.vocabulary import Vocabulary

_FILE = re.compile(r"[^\s\"'“”‘’，。；、：,;`]+\.(?:jsonl|json|csv|tsv|parquet|arrow|txt|md)(?![a-z0-9])", re.IGNORECASE)
_URI = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'“”，。；、,;`]+", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9][a-z0-9_.'/+-]*|[\u3400-\u9fff]+", re.IGNORECASE)
_VARIANTS = ("instruct", "chat", "it")  # what the name of a model ends with that people leave out
_OR = r"or|nor|或者|或|和|、"
_IS = r"\s*(?:=|:|：|of|to|is|为|是|用|设为)?\s*"


@cache
def words() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))


def read(sentence: str, known: Vocabulary, folder: Path) -> Request:
    """
    Args:
        known: what may be named.
        folder: that files are named from.
    """
    return _Reading(sentence, known, folder).request()


class _Reading:
    """Takes from the sentence what it understands, piece by piece; what is left was not understood."""

    def __init__(self, sentence: str, known: Vocabulary, folder: Path) -> None:
        self._text, self._known, self._folder = sentence, known, folder
        self._left = sentence.casefold() if len(sentence.casefold()) == len(sentence) else sentence.lower()
        self._refused: list[str] = []
        self._plain = _plain(self._left)

    def request(self) -> Request:
        data, *files = self._data() or [""]
        on, either = self._cards()
        model = self._model()
        budget = self._budget()
        settings = dict(self._settings())
        named = dict(self._providers())
        goals = self._phrases(words()["goals"])
        said = {name: self._phrases(words()[name]) for name in ("languages", "domains", "tasks")}
        return Request(
            data, on, next(iter(goals), ""), budget, model, named, settings, **said, refused=tuple(dict.fromkeys(self._refused)),
            either=either, files=tuple(files), unknown=tuple(self._unknown(goals[1:])),
        )  # fmt: skip

    # --- what is found ------------------------------------------------------------------------------------------------------------------

    def _data(self) -> list[str]:
        """Files of rows: the first that is named, and those that are there beside it."""
        names: list[str] = []
        for found in _FILE.finditer(self._left):
            written = self._text[found.start() : found.end()]
            ends = [written[start:] for start in range(len(written))]
            there = next((end for end in ends if (self._folder / end).is_file()), "")
            if names and not there:
                continue
            name = there or _bare(written)
            self._take(found.end() - len(name), found.end())
            names.append(name)
        return list(dict.fromkeys(names))

    def _cards(self) -> tuple[str, tuple[str, ...]]:
        """The cards, and what else they may be."""
        names = sorted({name.casefold() for name in self._known.cards}, key=len, reverse=True)
        if not names:
            return "", ()
        spelled = "|".join(r"[\s_-]*".join(map(re.escape, re.split(r"[\s_-]+", name))) for name in names)
        count, counters = numbers.pattern(words()["numbers"]), "|".join(map(re.escape, words()["counters"]))
        found = self._first(
            rf"(?:(?<![a-z0-9.])(?P<count>{count})\s*(?:{counters})?\s*|(?<![a-z0-9]))(?P<card>{spelled})(?:s|卡)?(?![a-z0-9])"
            rf"(?:\s*(?:x|×|\*)\s*(?P<after>\d+))?(?:\s*(?P<han>{count})\s*(?:张|块|台))?"
        )
        if not found:
            return "", ()
        told = found["count"] or found["after"] or found["han"]
        many = int(numbers.value(told, words()["numbers"])) if told else 1
        plain = re.sub(r"[\s_-]", "", found["card"])
        card = next(name for name in self._known.cards if re.sub(r"[\s_-]", "", name.casefold()) == plain)
        times = f"{many}x" if many > 1 else ""
        return f"{times}{card}", tuple(f"{times}{one}" for one in self._known.sizes.get(card, ()))

    def _model(self) -> str:
        if found := self._first(_URI.pattern):
            return self._text[found.start() : found.end()]
        by_name: dict[str, str] = {}
        for uri in self._known.models:
            name = uri.rpartition("/")[2].casefold().partition("@")[0]
            for short in (name, *(name.removesuffix(f"-{end}") for end in _VARIANTS if name.endswith(f"-{end}"))):
                by_name.setdefault(short, uri) if short != name else by_name.update({short: uri})
        for name in sorted(by_name, key=len, reverse=True):
            if self._may_hold(name) and self._first(_spelled(name) + r"(?:\s*(?:模型|model))?"):
                return by_name[name]
        return ""

    def _budget(self) -> float:
        for seconds, phrases in words()["spans"].items():
            if any(self._may_hold(phrase) and self._first(_phrase(phrase)) for phrase in phrases):
                return float(seconds)
        count = numbers.pattern(words()["numbers"])
        for seconds, units in words()["time"].items():
            found = self._first(rf"(?<![a-z0-9.])(?P<count>{count})\s*(?:{_any(units)})")
            if found:
                return numbers.value(found["count"], words()["numbers"]) * float(seconds)
        return 0.0

    def _settings(self) -> Iterator[tuple[str, Any]]:
        called = dict(self._known.aliases) | {name: name for name in self._known.settings}
        called |= {phrase: name for name, phrases in words()["settings"].items() for phrase in phrases if name in self._known.settings}
        common = {word for text in words()["filler"] for word in text.split()}
        count = numbers.pattern(words()["numbers"])
        seen: set[str] = set()
        for phrase in sorted(filter(self._may_hold, called), key=len, reverse=True):
            name = called[phrase]
            found = self._first(rf"{_spelled(phrase)}\s*[=＝]\s*(?P<value>[^\s，。,;；]+)")
            if not found and len(phrase) > 1 - (not phrase.isascii()) and phrase not in common:
                ahead, behind = (
                    rf"{_spelled(phrase)}{_IS}(?P<value>{count})(?![a-z0-9])",
                    rf"(?<![a-z0-9.])(?P<value>{count})[\s-]*{_spelled(phrase)}",
                )
                found = next(filter(None, map(self._first, (behind, ahead) if name in words()["counted"] else (ahead,))), None)
            if found and name not in seen:
                seen.add(name)
                yield name, _typed(found["value"])

    def _providers(self) -> Iterator[tuple[str, str]]:
        installed = {f"{kind}.{name}": (kind, name) for kind, name in self._known.providers}
        spelled = [(phrase, installed[key]) for key, phrases in words()["providers"].items() if key in installed for phrase in phrases]
        spelled += [(name, (kind, name)) for kind, name in self._known.providers]
        seen: set[str] = set()
        held = [one for one in spelled if self._may_hold(one[0])]
        refusing, others = _any(words()["refusing"]), _any({phrase for phrase, _ in held}, _spelled)
        for phrase, (kind, name) in sorted(held, key=lambda one: -len(one[0])):
            kinds = _any(words()["kinds"].get(kind, [kind]))
            pattern = _spelled(phrase)
            if phrase in words()["ordinary"]:  # a word of every day: only in quotes, or with what it is
                pattern = rf"(?:[`\"“]{pattern}[`\"”]|(?:{kinds})\s*{pattern}|{pattern}[\s-]*(?:{kinds}))"
            refused = re.search(rf"(?:{refusing})\s*(?:any\s+|the\s+)?(?:(?:{others}|\n+)\s*(?:{_OR})\s*)*(?P<name>{pattern})", self._left)
            if refused:
                self._take(refused.start("name"), refused.end("name"))
                self._refused.append(f"{kind}.{name}")
            elif self._first(pattern) and kind not in seen and not (kind in ("quantizer", "exporter") and seen & {"quantizer", "exporter"}):
                seen.add(kind)
                yield kind, name
        while self._refused and self._first(rf"(?:{refusing})(?=\s*(?:any\s+|the\s+)?\n)"):
            pass  # what it refused is taken already

    def _phrases(self, table: Mapping[str, list[str]]) -> tuple[str, ...]:
        """The entries of which a phrase is there, in the order of the sentence."""
        found: dict[str, int] = {}
        held = [(phrase, name) for name, phrases in table.items() for phrase in phrases if self._may_hold(phrase)]
        for phrase, name in sorted(held, key=lambda one: -len(one[0])):
            while match := self._first(_phrase(phrase)):
                found.setdefault(name, match.start())
        return tuple(sorted(found, key=found.__getitem__))

    def _unknown(self, goals: Iterable[str]) -> Iterator[str]:
        """Words that were not taken and mean something; and goals beside the first."""
        filler = {word for text in words()["filler"] for word in text.split()}
        filler |= {phrase for phrases in words()["kinds"].values() for phrase in phrases}
        others = sorted((word for word in filler if not word.isascii()), key=len, reverse=True)
        for found in _WORD.finditer(self._left):
            word = self._text[found.start() : found.end()]
            if word.isascii():
                if word.casefold().strip(".'") not in filler:
                    yield word
            else:
                yield from filter(None, re.split("|".join(map(re.escape, others)), word))
        yield from goals

    # --- taking -------------------------------------------------------------------------------------------------------------------------

    def _first(self, pattern: str) -> re.Match[str] | None:
        """The first place where a pattern is, which is taken."""
        found = re.search(pattern, self._left)
        if found:
            self._take(found.start(), found.end())
        return found

    def _take(self, start: int, end: int) -> None:
        self._left = self._left[:start] + "\n" * (end - start) + self._left[end:]
        self._plain = _plain(self._left)

    def _may_hold(self, phrase: str) -> bool:
        """Whether it is worth looking for: there are hundreds of names, and few in a sentence."""
        return _plain(phrase.casefold()) in self._plain


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text)


def _bare(written: str) -> str:
    """The name of a file that is not here, without the Chinese words that stand right before it."""
    before = sorted((word for text in words()["filler"] for word in text.split() if not word.isascii()), key=len, reverse=True)
    while first := next((word for word in before if written.startswith(word) and not written.startswith(f"{word}.")), ""):
        written = written[len(first) :]
    return written


def _typed(text: str) -> Any:
    """A value as a pipeline's file would have it."""
    try:
        number = numbers.value(text, words()["numbers"])
    except ValueError:
        return {"true": True, "false": False}.get(text, text)
    return int(number) if number == int(number) and "." not in text else number


def _spelled(name: str) -> str:
    """A name, written with spaces, hyphens or underscores, or without, and not a part of another word."""
    parts = [re.escape(part) for part in re.split(r"[\s_-]+", name.casefold())]
    return _edged(r"[\s_-]*".join(parts), name)


def _phrase(phrase: str) -> str:
    return _edged(r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", phrase))), phrase)


def _edged(pattern: str, text: str) -> str:
    return rf"(?<![a-z0-9]){pattern}(?![a-z0-9])" if text.isascii() else pattern


def _any(phrases: Iterable[str], spelled: Callable[[str], str] = _phrase) -> str:
    return "|".join(spelled(phrase) for phrase in sorted(phrases, key=len, reverse=True))
