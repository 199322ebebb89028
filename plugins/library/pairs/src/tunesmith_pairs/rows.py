"""Rows with answers of the assistant, as sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_data.api import Message, Row
from tunesmith_torch.api import ChatEncoder, Group, TokenSequence

SIDES = ("chosen", "rejected")


def encode_pair(row: Row, chat: ChatEncoder) -> Group:
    """A row of ``dataset/preference``: prompt and answer, twice, the chosen one first; labels on the answers only.

    By how much the chosen one is better, where the row says so, is the group's fact ``margin``.

    Raises:
        UserError: TS-DATA-037 when an answer has nothing of the assistant's; TS-DATA-082 when the two are the same.
    """
    prompt, tools = list(row["messages"]), row.get("tools") or ()
    sequences = tuple(encode_answer(prompt, row[side], tools, chat, f"the {side} answer", f"`{side}`") for side in SIDES)
    if sequences[0] == sequences[1]:
        raise UserError(
            "TS-DATA-082", "the chosen answer and the rejected one come to the same tokens", why="Neither can be preferred to the other.",
            fix="Leave the row out; `tunesmith data inspect` counts such rows.",
        )  # fmt: skip
    return Group(sequences, {} if row.get("margin") is None else {"margin": float(row["margin"])})


def encode_answer(
    prompt: Sequence[Message], answer: Sequence[Message], tools: Sequence[Mapping[str, Any]], chat: ChatEncoder, what: str, where: str
) -> TokenSequence:  # fmt: skip
    """Prompt and answer, with labels on the answer.

    Args:
        what, where: the answer and its key, for the message.

    Raises:
        UserError: TS-DATA-037 when it has nothing of the assistant's.
    """
    sequence = chat.encode([*prompt, *answer], tools, since=len(prompt))
    if not any(sequence.labels):
        raise UserError(
            "TS-DATA-037", f"{what} has no message of the assistant",
            fix=f"Give {where} a message of the role `assistant`, or leave the row out.",
        )  # fmt: skip
    return sequence
