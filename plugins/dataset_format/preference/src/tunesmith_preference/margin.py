"""By how much the chosen answer is better than the rejected one, where a row says it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError

_NUMBER = {"anyOf": [{"type": "number"}, {"type": "null"}]}
#: names of the columns with the two answers' scores
SCORES = (
    ("score_chosen", "score_rejected"), ("chosen_score", "rejected_score"), ("chosen_rating", "rejected_rating"),
    ("rating_chosen", "rating_rejected"),
)  # fmt: skip
MARGIN = {name: _NUMBER for name in ("margin", *(name for pair in SCORES for name in pair))}


def margin(row: Mapping[str, Any]) -> dict[str, float]:
    """``{"margin": ...}``: what the row says, or the difference of the scores; nothing where there is neither.

    Raises:
        UserError: TS-DATA-073 where it is below 0: the rejected answer is the better one.
    """
    names = next((pair for pair in SCORES if all(row.get(name) is not None for name in pair)), ())
    if row.get("margin") is not None:
        found, said = float(row["margin"]), "`margin`"
    elif names:
        found, said = float(row[names[0]]) - float(row[names[1]]), f"`{names[0]}` less `{names[1]}`"
    else:
        return {}
    if found < 0 or not math.isfinite(found):
        raise UserError("TS-DATA-073", f"{said} is {found:g}", why="It says that the rejected answer is the better one.",
                        fix="Exchange the answers, or correct the scores.")  # fmt: skip
    return {"margin": found}
