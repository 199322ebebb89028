"""Turns as data sets write them -> messages with typed content parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import PART_TYPES, Message, Part, text_of
from tunesmith_messages.media import Media, reference
from tunesmith_messages.roles import CALLERS, ROLES, speaker
from tunesmith_messages.tool_calls import read_calls
from tunesmith_messages.turn_weights import weight

_TEXTS = ("text", "input_text", "output_text", "refusal")
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")


def read_messages(items: Sequence[Mapping[str, Any]], media: Media | None = None, *, where: str = "messages") -> list[Message]:
    """Turns that fit the schema `MESSAGES`, with typed parts. A system message without anything in it is left out.

    A turn that is a call (``tool_call``) joins the assistant's turn before it: to a template they are one.

    Args:
        media: the row's media columns, for placeholders; the caller calls `finish` when it has read all that may use them.
        where: what to call the list in errors.

    Raises:
        UserError: TS-DATA-020 for an empty turn, TS-DATA-022 and TS-DATA-025 for what can't be read, TS-DATA-026 for a weight.
    """
    media = media or Media()
    messages: list[Message] = []
    for index, item in enumerate(items):
        turn = _message(item, media, f"{where}[{index}]")
        if messages and speaker(item, where) in CALLERS and _joins(turn, messages[-1]):
            messages[-1]["tool_calls"] = [*messages[-1].get("tool_calls", ()), *turn["tool_calls"]]
        elif turn["role"] != "system" or _says_something(turn) or len(turn) > 2:
            messages.append(turn)
    return messages


def _message(item: Mapping[str, Any], media: Media, where: str) -> Message:
    said = speaker(item, where)
    role = ROLES[said]
    given = [item[key] for key in ("content", "value", "refusal") if item.get(key) is not None]
    content = next(filter(None, given), given[0] if given else None)
    calls = []
    if said in CALLERS and content is not None:
        calls, content = read_calls(content if isinstance(content, str) else _text(content, media, where), where), None
    if isinstance(content, str):
        parts = media.split(content)
    else:
        parts = [_part(part, media, f"{where}.content[{index}]") for index, part in enumerate(content or ())]
    turn: Message = {"role": role, "content": parts}
    turn.update({key: item[key] for key in ("tool_call_id", "name") if item.get(key)})  # type: ignore[typeddict-item]
    if thought := next((item[key] for key in _THOUGHTS if item.get(key)), None):
        turn["reasoning_content"] = thought
    if item.get("tool_calls"):
        calls = [*calls, *read_calls(item["tool_calls"], f"{where}.tool_calls")]
    if item.get("function_call"):  # the form before tools
        calls = [*calls, *read_calls(item["function_call"], f"{where}.function_call")]
    if calls:
        turn["tool_calls"] = calls
    if weight(item, role, where) == 0 and role == "assistant":
        turn["weight"] = 0
    refuse_empty(turn, where)
    return turn


def _part(part: Mapping[str, Any], media: Media, where: str) -> Part:
    kind = part["type"]
    if kind in _TEXTS:
        text = next((part[key] for key in ("text", kind) if isinstance(part.get(key), str)), None)
        if text is None:
            raise UserError("TS-DATA-025", f"`{where}` is a text part without a text", fix='Write {"type": "text", "text": "..."}.')
        return {"type": "text", "text": text}
    medium = kind.removeprefix("input_").removesuffix("_url")
    if medium not in PART_TYPES:
        raise UserError("TS-DATA-025", f"`{where}` is of the unknown type `{kind}`", fix="Known: " + ", ".join(PART_TYPES) + ".")
    for key in (kind, medium, "url", "path"):
        if part.get(key):
            return reference(medium, part[key])
    return media.take(medium)


def _text(content: Sequence[Mapping[str, Any]], media: Media, where: str) -> str:
    return text_of({"content": [_part(part, media, where) for part in content]})


def _joins(turn: Message, before: Message) -> bool:
    """Whether a call goes on with the turn before it: the assistant's, learnt or not as the call is."""
    same = before["role"] == "assistant" and before.get("weight", 1) == turn.get("weight", 1)
    return same and set(turn) <= {"role", "content", "tool_calls", "weight"}


def _says_something(turn: Message) -> bool:
    return any(part["type"] != "text" or part["text"].strip() for part in turn["content"])


def refuse_empty(turn: Message, where: str) -> None:
    """Raise TS-DATA-020 for a user's or assistant's turn that says and calls nothing: it would teach silence."""
    if turn["role"] in ("user", "assistant") and not _says_something(turn) and not turn.get("tool_calls"):
        why = f"It is a turn of the {turn['role']} without text."
        raise UserError("TS-DATA-020", f"`{where}` is empty", why=why, fix="Remove the row.")
