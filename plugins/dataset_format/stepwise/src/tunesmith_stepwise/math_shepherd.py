"""The format of Math-Shepherd (Wang et al. 2024, arXiv:2312.08935): marks after the steps, and the same text with ``+`` or ``-`` for each.

``{"input": "2 + 2? Step 1: It is 4. ки", "label": "2 + 2? Step 1: It is 4. +"}``
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row
from tunesmith_stepwise.rows import solution

MARK = "ки"
_FIRST = re.compile(r"\bStep 1:")
ROW = {
    "type": "object",
    "required": ["input", "label"],
    "properties": {
        "input": {"type": "string", "pattern": MARK}, "label": {"type": "string", "minLength": 1},
        "task": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "examples": [{
        "input": f"What is 2 + 3 * 4? Step 1: 3 * 4 is 12. {MARK}\nStep 2: 2 + 12 is 15. {MARK}",
        "label": "What is 2 + 3 * 4? Step 1: 3 * 4 is 12. +\nStep 2: 2 + 12 is 15. -",
    }],
}  # fmt: skip


class MathShepherd:
    """``{"input", "label"}`` -> ``dataset/stepwise``."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        pieces, told = row["input"].split(MARK), row["label"]
        labels = []
        for piece in pieces[:-1]:  # the label's text is the same but for the marks
            found, told = told.startswith(piece) and told[len(piece) : len(piece) + 1], told[len(piece) + 1 :]
            if found not in ("+", "-"):
                raise _unlike()
            labels.append(found == "+")
        if told.strip() != pieces[-1].strip():
            raise _unlike()
        if pieces[-1].strip():
            raise UserError("TS-DATA-075", "The last step has no mark", fix="Remove the row.")
        question, steps = _parted(pieces[0])
        return solution(question, [steps, *(piece.strip() for piece in pieces[1:-1])], labels)


def _parted(text: str) -> tuple[str, str]:
    """The question, and the first step."""
    found = list(_FIRST.finditer(text))
    if len(found) != 1 or not text[: found[0].start()].strip():
        raise UserError(
            "TS-DATA-075", "Where the question ends can't be told", why="It is followed by `Step 1:`, once.", fix="Remove the row."
        )
    return text[: found[0].start()].strip(), text[found[0].start() :].strip()


def _unlike() -> UserError:
    return UserError("TS-DATA-075", "`label` is not `input` with + or - in the place of its marks", fix="Remove the row.")
