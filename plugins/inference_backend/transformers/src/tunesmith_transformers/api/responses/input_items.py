"""A request of the Responses API as one of chat: what it holds, said with the other API's fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_transformers.api.errors import ApiError

SAME = ("model", "temperature", "top_p", "top_k", "min_p", "seed", "stream", "chat_template_kwargs")
#: What needs a store of past responses, or tools of the server's own.
_TEXTS = ("input_text", "output_text", "text")
STORED = ("previous_response_id", "conversation", "prompt", "background", "store")


def as_chat(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The same request for `conversation.prepare`.

    Raises:
        ApiError: 400 for what needs a store, and for items that are none.
    """
    for name in STORED:
        if asked.get(name):
            raise ApiError(400, f"`{name}` needs a store of responses, and this server keeps none: send the whole `input`.", param=name)
    chat: dict[str, Any] = {name: asked[name] for name in SAME if name in asked}
    given = asked["input"]
    chat["messages"] = [{"role": "user", "content": given}] if isinstance(given, str) else _messages(given)
    if "instructions" in asked:
        chat["messages"].insert(0, {"role": "system", "content": asked["instructions"]})
    if "max_output_tokens" in asked:
        chat["max_completion_tokens"] = asked["max_output_tokens"]
    if asked.get("tools"):
        fields = ("name", "description", "parameters", "strict")
        chat["tools"] = [{"type": "function", "function": {name: tool[name] for name in fields if name in tool}} for tool in asked["tools"]]
    if "tool_choice" in asked:
        choice = asked["tool_choice"]
        chat["tool_choice"] = choice if isinstance(choice, str) else {"type": "function", "function": {"name": choice["name"]}}
    format = asked.get("text", {}).get("format", {})
    if format.get("type", "text") != "text":
        chat["response_format"] = {"type": format["type"]}
        if format["type"] == "json_schema":
            chat["response_format"]["json_schema"] = {"schema": format.get("schema", {})}
    return chat


def _messages(items: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages of chat; calls that follow each other are one assistant's message."""
    messages: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        kind = item.get("type", "message")
        if kind == "message":
            messages.append(_message(item, f"input[{index}]"))
        elif kind == "function_call":
            call = {"id": item.get("call_id", ""), "type": "function",
                    "function": {"name": _text(item, "name", index), "arguments": item.get("arguments", "{}")}}  # fmt: skip
            if messages and messages[-1]["role"] == "assistant":
                messages[-1].setdefault("tool_calls", []).append(call)
            else:
                messages.append({"role": "assistant", "content": "", "tool_calls": [call]})
        elif kind == "function_call_output":
            messages.append({"role": "tool", "tool_call_id": item.get("call_id", ""), "content": _text(item, "output", index)})
        elif kind != "reasoning":  # thoughts of earlier turns are not read again
            raise ApiError(400, f"`input[{index}]` is of type `{kind}`, which this server does not know.", param="input")
    if not messages:
        raise ApiError(400, "`input` holds no message.", param="input")
    return messages


def _text(item: Mapping[str, Any], field: str, index: int) -> str:
    if not isinstance(item.get(field), str):
        raise ApiError(400, f"`input[{index}]` lacks `{field}`, a string.", param="input")
    return item[field]


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    """As the chat API has it, whose `chat_prompt` refuses what it does not know."""
    return {**part, "type": {"input_image": "image_url", **dict.fromkeys(_TEXTS, "text")}.get(part["type"], part["type"])}


def _message(item: Mapping[str, Any], where: str) -> dict[str, Any]:
    if "role" not in item:
        raise ApiError(400, f"`{where}` lacks a `role`.", param="input")
    content = item.get("content", "")
    if isinstance(content, list):
        if any(part["type"] == "input_image" for part in content):
            return {"role": item["role"], "content": [_part(part) for part in content]}
        other = [part["type"] for part in content if part["type"] not in _TEXTS or "text" not in part]
        if other:
            raise ApiError(400, f"`{where}.content` has a part of type `{other[0]}`; this model reads text only.", param="input")
        content = "".join(part["text"] for part in content)
    return {"role": item["role"], "content": content}
