"""Which turns are trained on, as data sets say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError

WEIGHTS = ("weight", "loss", "train", "training")  #: OpenAI, ms-swift, axolotl (two): 0 or false for a turn that is not trained on
SHARES = ("train_detail",)  #: axolotl: which characters of a turn are trained on
_NUMBERS = {"0": 0, "1": 1, "false": 0, "true": 1, "0.0": 0, "-0.0": 0, "1.0": 1}


def weight(item: Mapping[str, Any], role: str, where: str) -> int:
    """1 for a turn that is trained on (the assistant's, unless it says otherwise), 0 for one that is not.

    Raises:
        UserError: TS-DATA-026 for a weight between, for what contradicts itself, for others than the assistant's turns.
    """
    for key in SHARES:
        if item.get(key):
            raise UserError("TS-DATA-026", f"`{where}.{key}` asks to train on a part of a turn", why="It is all or nothing.",
                            fix="Split the turn, or give it a `weight` of 0 or 1.")  # fmt: skip
    said = {key: _number(item[key], f"{where}.{key}") for key in WEIGHTS if item.get(key) is not None}
    if len(set(said.values())) > 1:
        words = " and ".join(f"`{key}` is {item[key]!r}" for key in said)
        raise UserError("TS-DATA-026", f"`{where}` says both that it is trained on and that it is not", why=f"{words}.", fix="Keep one.")
    value = next(iter(said.values()), 1)
    if role != "assistant" and said and value:
        raise UserError("TS-DATA-026", f"`{where}` is a turn of the role `{role}` to be trained on", why="Only the assistant's are.",
                        fix=f"Take `{next(iter(said))}` out of the turn, or set it to 0.")  # fmt: skip
    return value if role == "assistant" else 0


def _number(value: Any, where: str) -> int:
    found = _NUMBERS.get(str(value).strip().lower())
    if found is None:
        raise UserError(
            "TS-DATA-026", f"`{where}` is {value!r:.40}, neither 0 nor 1", why="A turn is trained on (1) or not (0), nothing between.",
            fix="Write 0 or 1. For rows that shall count for more, mix files: `data: {a.jsonl: 2, b.jsonl: 1}`.",
        )  # fmt: skip
    return found
