"""Messages in the OpenAI chat form -> messages with typed content parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts.rows import PART_TYPES, Message, Part
from tunesmith.errors import UserError
from tunesmith_messages.media import Media, reference

_ROLES = {"developer": "system", "function": "tool"}
_KEPT = ("tool_calls", "tool_call_id", "name", "reasoning_content")  # what chat templates read beside role and content
_TEXTS = ("text", "input_text", "output_text", "refusal")


def read_messages(items: Sequence[Mapping[str, Any]], media: Media | None = None, *, where: str = "messages") -> list[Message]:
    """Messages that fit the schema `MESSAGES`, with typed parts. A system message without anything in it is left out.

    Args:
        media: the row's media columns, for placeholders; the caller calls `finish` when it has read all that may use them.
        where: what to call the list in errors.

    Raises:
        UserError: TS-DATA-020 for an empty turn, TS-DATA-022 and TS-DATA-025 for parts that can't be read.
    """
    media = media or Media()
    messages = [_message(item, media, f"{where}[{index}]") for index, item in enumerate(items)]
    return [turn for turn in messages if turn["role"] != "system" or _says_something(turn) or len(turn) > 2]


def _message(item: Mapping[str, Any], media: Media, where: str) -> Message:
    content = item.get("content")
    if isinstance(content, str):
        parts = media.split(content)
    else:
        parts = [_part(part, media, f"{where}.content[{index}]") for index, part in enumerate(content or ())]
    turn: Message = {"role": _ROLES.get(item["role"], item["role"]), "content": parts}
    turn.update({key: item[key] for key in _KEPT if item.get(key)})  # type: ignore[typeddict-item]
    if item.get("function_call"):  # the form before tools
        turn["tool_calls"] = [*turn.get("tool_calls", ()), {"type": "function", "function": item["function_call"]}]
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


def _says_something(turn: Message) -> bool:
    return any(part["type"] != "text" or part["text"].strip() for part in turn["content"])


def refuse_empty(turn: Message, where: str) -> None:
    """Raise TS-DATA-020 for a user's or assistant's turn that says and calls nothing: it would teach silence."""
    if turn["role"] in ("user", "assistant") and not _says_something(turn) and not turn.get("tool_calls"):
        why = f"It is a turn of the {turn['role']} without text."
        raise UserError("TS-DATA-020", f"`{where}` is empty", why=why, fix="Remove the row.")
