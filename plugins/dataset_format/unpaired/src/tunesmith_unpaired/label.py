"""Whether an answer is a good one, as data sets say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError

GOOD = ("true", "1", "1.0", "+1", "good", "desirable", "chosen", "positive", "up", "thumbs up", "thumbs_up", "like", "👍")
BAD = (
    "false",
    "0",
    "0.0",
    "-1",
    "-1.0",
    "bad",
    "undesirable",
    "rejected",
    "negative",
    "down",
    "thumbs down",
    "thumbs_down",
    "dislike",
    "👎",
)
COLUMNS = ("label", "kto_tag")  #: TRL and ms-swift, LLaMA-Factory
_WORDS = "|".join(word.replace("+", r"\+").replace(".", r"\.") for word in (*GOOD, *BAD))
LABEL = {
    "anyOf": [
        {"type": "boolean"}, {"type": "integer", "enum": [1, 0, -1]}, {"type": "string", "pattern": rf"^\s*(?i:{_WORDS})\s*$"},
        {"type": "null"},
    ]
}  # fmt: skip


def is_good(row: Mapping[str, Any]) -> bool:
    """
    Raises:
        UserError: TS-DATA-076 where the row says neither, or both.
    """
    said = {column: str(row[column]).strip().lower() for column in COLUMNS if row.get(column) is not None}
    found = {word in GOOD for word in said.values()}
    if len(found) != 1 or any(word not in (*GOOD, *BAD) for word in said.values()):
        told = " and ".join(f"`{column}` is {row[column]!r:.40}" for column in said) or "`label` is empty"
        raise UserError(
            "TS-DATA-076", told, why="Whether the answer is a good one can't be told.", fix="Write true or false, or remove the row."
        )
    return found.pop()
