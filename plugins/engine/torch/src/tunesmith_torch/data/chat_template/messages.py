"""Messages in the form in which chat templates read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunesmith.contracts import UserError

#: Names under which templates know what was thought; the first is the one that rows use.
THOUGHTS = ("reasoning_content", "thinking", "reasoning")


def for_template(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of a row or a request as a template is given it, its content as it is.

    Keys keep their order. What is null is left out, and so is `weight`, which is no part of the conversation; arguments are objects; what
    was thought is there under the names that templates use.

    Raises:
        UserError: TS-DATA-025 for a call without a name, or whose arguments are no JSON object.
    """
    plain = {key: value for key, value in message.items() if value is not None and key != "weight"}
    thought = next((plain[name] for name in THOUGHTS if name in plain), None)
    if thought is not None:
        plain = {"thinking": thought, **plain, "reasoning_content": thought}
    if calls := plain.pop("tool_calls", None):
        plain["tool_calls"] = [_call(call) for call in calls]
    return plain


def with_arguments_as_text(message: Mapping[str, Any]) -> dict[str, Any]:
    """The same for templates that put arguments into the text as they come, which works for a text only."""
    return (
        {**message, "tool_calls": [_changed(call, _text) for call in message["tool_calls"]]} if "tool_calls" in message else dict(message)
    )


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    found = call if "function" in call else {"type": "function", "function": call}
    function = found["function"]
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise UserError(
            "TS-DATA-025", "A tool call has no function with a name", fix='Write {"function": {"name": ..., "arguments": {...}}}.'
        )
    return _changed({"type": "function", **found}, _object)


def _changed(call: Mapping[str, Any], change: Callable[[Any, str], Any]) -> dict[str, Any]:
    function = call["function"]
    return {**call, "function": {**function, "arguments": change(function.get("arguments"), function["name"])}}


def _object(arguments: Any, name: str) -> Mapping[str, Any]:
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except (ValueError, RecursionError) as error:
            raise _no_object(name, str(error)) from None
    if not isinstance(arguments or {}, Mapping):
        raise _no_object(name, "")
    return arguments or {}


def _text(arguments: Any, name: str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _no_object(name: str, why: str) -> UserError:
    return UserError("TS-DATA-025", f"The arguments of the call of `{name}` are no JSON object", why=why, fix='Write {"name": value, ...}.')


def marked(message: Mapping[str, Any], first: str = "", last: str = "") -> dict[str, Any]:
    """The message with the mark `first` where what it says may begin, and `last` where it may end, so that they show where a template put
    it. What is empty stays so: templates look at that.
    """
    found = dict(message)
    content = found.get("content")
    if isinstance(content, str) and content:
        found["content"] = _opened(content, first) + last
    elif isinstance(content, Sequence) and content:
        texts = [at for at, part in enumerate(content) if part.get("type") == "text" and part["text"]]
        if texts:
            parts = [dict(part) for part in content]
            parts[texts[0]]["text"] = _opened(parts[texts[0]]["text"], first)
            parts[texts[-1]]["text"] += last
            found["content"] = parts
    for name in THOUGHTS:
        if found.get(name):
            found[name] = first + found[name]
    if "tool_calls" in found:
        found["tool_calls"] = [
            {**call, "function": {**call["function"], "name": first + call["function"]["name"] + last}} for call in found["tool_calls"]
        ]
    return found


def _opened(text: str, mark: str) -> str:
    """Templates may cut a text at its thoughts and write one of the pieces only."""
    if not mark:
        return text
    for border in ("<think>", "</think>"):
        text = text.replace(border, border + mark)
    return mark + text
