"""Rows by their texts: what can be told without a model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tunesmith_data.api import Row, text_of
from tunesmith_data.audit.finding import Finding
from tunesmith_data.audit.length_bias import length_bias

PROMPTS = ("messages", "anchor")  #: keys of a row that hold what is asked


class RowAudit:
    """Looks at rows as they pass: a few numbers and a hash a row are kept, never the rows.

    Args:
        prompts: whether to keep what is asked, for `shared_prompts`.
    """

    def __init__(self, *, prompts: bool = False) -> None:
        self.keeps_prompts = prompts
        self.lines: list[int] = []
        self.lengths: list[tuple[int, int]] = []
        self.equal: list[int] = []
        self.prompts: dict[bytes, int] = {}

    def add(self, line: int, row: Row) -> None:
        self.lines.append(line)
        if self.keeps_prompts and (prompt := digest_of_prompt(row)):
            self.prompts.setdefault(prompt, line)
        if "chosen" in row and "rejected" in row:
            chosen, rejected = ("".join(map(text_of, row[side])) for side in ("chosen", "rejected"))
            self.lengths.append((len(chosen), len(rejected)))
            if _even(row["chosen"]) == _even(row["rejected"]):
                self.equal.append(line)

    def findings(self) -> Iterator[Finding]:
        if self.lengths:
            yield Finding.of_lines("nearly-equal-pairs", "answers that differ in case and white space alone", self.equal, len(self.lengths))
            yield length_bias(self.lengths, "characters")


def shared_prompts(prompts: Mapping[bytes, int], others: Iterable[tuple[int, Row]]) -> Finding:
    """Rows of another file whose prompt is one of these; lines are (line there, line here)."""
    both, count = [], 0
    for line, row in others:
        count += 1
        if (here := prompts.get(digest_of_prompt(row))) is not None:
            both.append((line, here))
    return Finding.of_lines("shared-prompts", "rows for validation with a prompt of the data", both, count)


def one_label(labels: Mapping[str, int]) -> Finding:
    """Whether all rows are examples of the same."""
    told = ", ".join(f"`{label}` {count}" for label, count in sorted(labels.items(), key=lambda item: -item[1])[:10])
    more = f" and {len(labels) - 10} more" if len(labels) > 10 else ""
    count = sum(labels.values())
    return Finding("labels", "labels", len(labels), count, (), told + more, dict(labels), "all are the same", len(labels) == 1)


def digest_of_prompt(row: Row) -> bytes:
    """Of what is asked, case and white space evened out; empty where a row asks nothing. Of a chat, what comes before its last answer."""
    key = next((key for key in PROMPTS if row.get(key)), "")
    if not key:
        return b""
    value = row[key]
    if key == "messages":
        value = list(value)
        while value and value[-1]["role"] == "assistant":
            value.pop()
    return hashlib.sha256(repr(_even(value)).encode()).digest()[:16] if value else b""


def _even(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split()).casefold()
    if isinstance(value, Mapping):
        return [(key, _even(value[key])) for key in sorted(value)]
    if isinstance(value, Sequence):
        return [_even(item) for item in value]
    return value
