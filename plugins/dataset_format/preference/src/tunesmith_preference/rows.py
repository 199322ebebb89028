"""The formats: a prompt, the answer that was chosen and the one that was rejected, as texts or as lists of messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Message, Row, text_of
from tunesmith_messages.api import MEDIA_COLUMNS, TEXT_OR_NULL, TOOLS, TURN, Media, read_messages, read_tools, refuse_nothing_learnt
from tunesmith_preference.category import CATEGORY, category
from tunesmith_preference.margin import MARGIN, margin
from tunesmith_preference.transcript import continued, read_transcript

_TURN = {"$ref": "#/definitions/turn"}
_TURNS = {"type": "array", "items": _TURN}
_ANSWER = {"anyOf": [{"type": "string", "minLength": 1}, {**_TURNS, "minItems": 1}, _TURN]}
_DEFINITIONS = {"definitions": {"turn": TURN}}
PROMPTS = ("prompt", "messages", "conversations", "question", "instruction")  # names of the prompt's column, in order of preference
ROW = {
    "type": "object",
    "required": ["chosen", "rejected"],
    "properties": {
        **{name: {"anyOf": [{"type": "string"}, _TURNS, {"type": "null"}]} for name in PROMPTS},
        "input": TEXT_OR_NULL, "system": TEXT_OR_NULL, "chosen": _ANSWER, "rejected": _ANSWER, **MARGIN, **CATEGORY, **TOOLS,
        **MEDIA_COLUMNS,
    },
    **_DEFINITIONS,
}  # fmt: skip


class Preference:
    """``{"prompt"?, "chosen", "rejected"}`` -> ``dataset/preference``.

    An answer is a text, a turn or a list of turns. The prompt is what the first of `PROMPTS` says; without one, chosen and rejected are
    whole conversations and the prompt is what they begin with in common. Whole conversations that repeat the prompt are understood, too,
    and so are transcripts (see `tunesmith_preference.transcript`).
    """

    def convert(self, row: Mapping[str, Any]) -> Row:
        media = Media(row)
        system = read_messages([{"role": "system", "content": row.get("system")}], media, where="system")
        whole = media.copy()  # a conversation that repeats the prompt names its media again
        column = next((name for name in PROMPTS if row.get(name)), "")
        prompt = read_messages(self._prompt(row, column), media, where=column)
        given = [self._answer(row, column, name) for name in ("chosen", "rejected")]
        read = [whole.copy() if _opens(turns) else media for turns in given]
        pair = [read_messages(turns, own, where=name) for turns, own, name in zip(given, read, ("chosen", "rejected"), strict=True)]
        media.finish(*read)
        prompt, chosen, rejected = self._part(prompt, *pair)
        for name, answer in (("chosen", chosen), ("rejected", rejected)):
            if not answer or answer[0]["role"] != "assistant":
                raise UserError("TS-DATA-024", f"After the prompt `{name}` does not go on with a turn of the assistant",
                                fix="Write prompt and answers so that both answers follow the same prompt.")  # fmt: skip
            refuse_nothing_learnt(answer, name)
        if chosen == rejected:
            raise UserError("TS-DATA-070", "`chosen` and `rejected` are the same", why="There is nothing to prefer.", fix="Remove the row.")
        beside = {**margin(row), **category(row), **read_tools(row)}
        return {"messages": [*system, *prompt], "chosen": chosen, "rejected": rejected, **beside}

    def _prompt(self, row: Mapping[str, Any], column: str) -> list[Mapping[str, Any]]:
        value = row.get(column) or []
        if isinstance(value, str):
            said = "\n".join(text for text in (value, row.get("input")) if text)
            return read_transcript(value) or [{"role": "user", "content": said}]
        return list(value)

    def _answer(self, row: Mapping[str, Any], prompt: str, column: str) -> list[Mapping[str, Any]]:
        """
        Args:
            prompt: the prompt's column; empty: there is none.
        """
        value = row[column]
        if isinstance(value, str):
            told = read_transcript(value) if not prompt or continued(row[prompt], value) else []
            return told or [{"role": "assistant", "content": value}]
        return [value] if isinstance(value, Mapping) else list(value)

    def _part(self, prompt: list[Message], chosen: list[Message], rejected: list[Message]) -> tuple[list[Message], ...]:
        """Prompt and answers, with what the answers repeat of the prompt taken out of them."""
        common = 0
        while common < min(len(chosen), len(rejected)) and chosen[common] == rejected[common]:
            common += 1
        while common and chosen[common - 1]["role"] == "assistant" and common in (len(chosen), len(rejected)):
            common -= 1  # one conversation goes on where the other ends
        repeated = chosen[:common]
        if not prompt:
            if not common:
                raise UserError("TS-DATA-024", "There is no prompt", why="`chosen` and `rejected` do not begin with the same turns.",
                                fix="Add a column `prompt`.")  # fmt: skip
            return repeated, chosen[common:], rejected[common:]
        if _says(prompt) in [_says(repeated[start : start + len(prompt)]) for start in range(common)]:
            return repeated, chosen[common:], rejected[common:]
        return prompt, chosen, rejected


def _opens(turns: Sequence[Mapping[str, Any]]) -> bool:
    """Whether turns are a conversation from its beginning, and not an answer."""
    return (turns[0].get("role") or turns[0].get("from")) in ("system", "developer", "user", "human")


def _says(turns: list[Message]) -> list[tuple[str, str]]:
    return [(turn["role"], text_of(turn)) for turn in turns]


_BESIDE = {"system": TEXT_OR_NULL, **MARGIN, **CATEGORY, **TOOLS, **MEDIA_COLUMNS}
REJECTED_RESPONSE = {
    "type": "object",
    "required": ["messages", "rejected_response"],
    "properties": {"messages": {**_TURNS, "minItems": 1}, "rejected_response": _ANSWER, **_BESIDE},
    **_DEFINITIONS,
}
REJECTED_MESSAGES = {
    "type": "object",
    "required": ["messages", "rejected_messages"],
    "properties": {"messages": {**_TURNS, "minItems": 1}, "rejected_messages": {**_TURNS, "minItems": 1}, **_BESIDE},
    **_DEFINITIONS,
}


PREFERRED_OUTPUT = {
    "type": "object",
    "required": ["input", "preferred_output", "non_preferred_output"],
    "properties": {
        "input": {"type": "object", "required": ["messages"], "properties": {"messages": {**_TURNS, "minItems": 1}, **TOOLS}},
        "preferred_output": _ANSWER, "non_preferred_output": _ANSWER,
    },
    **_DEFINITIONS,
}  # fmt: skip


class RejectedResponse:
    """``{"messages", "rejected_response"}``: a conversation, and what its last answer should not be (ms-swift)."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        turns, beside = row["messages"], {key: row[key] for key in _BESIDE if key in row}
        last = max((at for at, turn in enumerate(turns) if (turn.get("role") or turn.get("from")) == "user"), default=-1) + 1
        return Preference().convert({**beside, "prompt": turns[:last], "chosen": turns[last:], "rejected": row["rejected_response"]})


class RejectedMessages:
    """``{"messages", "rejected_messages"}``: two whole conversations (ms-swift)."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        beside = {key: row[key] for key in _BESIDE if key in row}
        return Preference().convert({**beside, "chosen": row["messages"], "rejected": row["rejected_messages"]})


class PreferredOutput:
    """``{"input": {"messages", "tools"?}, "preferred_output", "non_preferred_output"}`` (OpenAI)."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        given = row["input"]
        beside = {key: given[key] for key in TOOLS if key in given}
        sides = {"chosen": row["preferred_output"], "rejected": row["non_preferred_output"]}
        return Preference().convert({**beside, **sides, "prompt": given["messages"]})
