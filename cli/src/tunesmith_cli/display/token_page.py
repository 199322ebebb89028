"""Rows as the tokens that a model would learn from, as a page: what an artifact of ``report/tokens`` holds.

Its file has an object a row: ``{"row", "sequences": [{"name", "tokens", "texts", "labels", "turns": [{"role", "start", "stop"}],
"doubts", "media"}], "error"?}``, all by token but `doubts`, which are sentences; then one of statistics: ``{"rows", "broken", "lengths",
"max_length", "counts"}``, the last with an object for each row that was looked at: ``{"row", "error"}`` or ``{"row", "tokens", "trained",
"left", "begin", "common"}``. The verb that makes it reads a model and ``data``, has a slot ``objective``, and takes the settings ``rows``
(numbers from 1), ``scan`` (rows that are looked at) and ``max_length``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith_cli.untrusted_text import safe

TOKENS_FORMAT = "report/tokens"
TOKENS_FILE = "preview.jsonl"
_LEARNT, _GIVEN = ("30;42", "30;102"), ("2", "2;4")  # colours of tokens, in turns, so that one sees where each ends
_OPEN, _CLOSE, _BETWEEN = "⟦", "⟧", "·"  # the same without colours


def token_page(rows: Sequence[Mapping[str, Any]], total: Mapping[str, Any], *, colours: bool) -> str:
    """All of it as a person reads it."""
    mark = (
        f"{_paint('trained on', _LEARNT[0])} {_paint('given', _GIVEN[1])}"
        if colours
        else f"{_OPEN}trained on{_CLOSE} given, {_BETWEEN} between tokens"
    )
    lines = [mark, ""]
    for row in rows:
        lines += [line for sequence in row["sequences"] for line in _sequence(row["row"], sequence, colours)]
        if "error" in row:
            told = row["error"]
            lines += [safe(f"row {row['row']} can't be used: {told['code']}: {told['what']}"), safe(f"  {told['fix']}"), ""]
    return "\n".join([*lines, _total(total)])


def _sequence(row: int, sequence: Mapping[str, Any], colours: bool) -> list[str]:
    tokens, labels = sequence["tokens"], sequence["labels"]
    texts = [safe(text) for text in sequence["texts"]]
    name = f", {safe(sequence['name'])}" if sequence["name"] else ""
    lines = [f"row {row}{name}: {len(tokens)} tokens, {sum(labels)} trained on"]
    turns = sequence["turns"] or [{"role": "", "start": 0, "stop": len(tokens)}]
    for turn in turns:
        part = slice(turn["start"], turn["stop"])
        if turn["role"]:
            lines.append(f"-- {safe(turn['role'])}: {turn['stop'] - turn['start']} tokens, {sum(labels[part])} trained on")
        lines.append(_text(texts[part], labels[part], colours))
    lines += [f"!! {safe(doubt)}" for doubt in sequence["doubts"]]
    return [*lines, ""]


def _text(texts: Sequence[str], labels: Sequence[bool], colours: bool) -> str:
    if colours:
        return "".join(
            _paint(text, (_LEARNT if label else _GIVEN)[at % 2]) for at, (text, label) in enumerate(zip(texts, labels, strict=True))
        )
    runs: list[tuple[bool, list[str]]] = []
    for text, label in zip(texts, labels, strict=True):
        if not runs or runs[-1][0] != label:
            runs.append((label, []))
        runs[-1][1].append(text)
    joined = [(label, _BETWEEN.join(run)) for label, run in runs]
    return "".join(f"{_OPEN}{run}{_CLOSE}" if label else run for label, run in joined)


def _paint(text: str, style: str) -> str:
    """Line breaks stay outside: a terminal would colour the rest of the line."""
    return "\n".join(f"\x1b[{style}m{part}\x1b[0m" if part else "" for part in text.split("\n"))


def _total(total: Mapping[str, Any]) -> str:
    lengths, limit = total["lengths"], total["max_length"]
    lines = []
    if lengths:
        middle, most = lengths[len(lengths) // 2], lengths[-1]
        lines.append(f"tokens in the first {total['rows']} rows: shortest {lengths[0]}, median {middle}, longest {most}")
        over = sum(length > limit for length in lengths)
        lines += [f"!! {over} of them are longer than {limit} tokens; `max_length: {most}` would cut none"] if over else []
    return "\n".join([*lines, *([f"!! {total['broken']} rows can't be used"] if total["broken"] else [])])
