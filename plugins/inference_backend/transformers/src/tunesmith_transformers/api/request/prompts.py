"""From a request's messages or prompt to token ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.api.request.image_parts import KINDS, image_bytes
from tunesmith_transformers.model.vision import Seen, Vision
from tunesmith_transformers.text.vocabulary import Unreadable, Vocabulary

#: what a template is given by other fields, or is not for a request to choose
_OF_THE_REQUEST = {"messages", "tools", "add_generation_prompt", "prompt", "chat_template", "documents", "tokenize"}


@dataclass(frozen=True)
class Prompt:
    """A conversation up to where the assistant's answer begins.

    Args:
        ids: negative ones stand for pictures.
        seen: what it is to a decoder, where there are pictures.
    """

    text: str
    ids: list[int]
    seen: Seen | None = None


def chat_prompt(
    request: Mapping[str, Any], vocabulary: Vocabulary, begin: Callable[[str], str] = lambda text: "", vision: Vision | None = None
) -> Prompt:
    """The conversation through the model's chat template.

    Args:
        begin: from its text, what the answer has to begin with; it is part of what is given.
        vision: of a model that sees.
    """
    if vocabulary.template is None:
        raise ApiError(400, "This model has no chat template. Use /v1/completions.", param="messages")
    pictures: list[bytes] = []
    messages = [
        _message_in_parts(message, f"messages[{index}]", pictures, vision) if vision else plain_message(message, f"messages[{index}]")
        for index, message in enumerate(request["messages"])
    ]
    tools = request.get("tools") if request.get("tool_choice") != "none" else None
    extra, ask = request.get("chat_template_kwargs", {}), request.get("add_generation_prompt", True)
    if taken := sorted(_OF_THE_REQUEST & set(extra)):
        raise ApiError(400, f"`chat_template_kwargs` can't set `{taken[0]}`: the request's own fields do.", param="chat_template_kwargs")
    try:
        text = vocabulary.template.render(messages, tools or (), prompt=ask, **extra).text
        unseen = bool(tools) and text == vocabulary.template.render(messages, (), prompt=ask, **extra).text
    except UserError as error:
        raise ApiError(400, " ".join(filter(None, (f"{error.what}.", error.why))), param="messages") from None
    except Exception as error:  # the model's own code, fed with a client's data: whatever it raises is about that
        raise ApiError(400, f"The model's chat template refuses these messages: {error}", param="messages") from None
    if unseen:
        what = "The model's chat template writes no `tools`, so the model would not see them. Leave them out, or serve one that knows them."
        raise ApiError(400, what, param="tools", code="tools_not_supported")
    text += begin(text)
    ids = _encode(text, vocabulary, "messages", special=False)  # the template writes the special tokens itself
    if vision is None or not pictures:
        return Prompt(text, ids)
    try:
        return Prompt(text, *vision.prompt(text, pictures))
    except UserError as error:
        raise ApiError(400, " ".join(filter(None, (f"{error.what}.", error.why))), param="messages") from None


def _message_in_parts(message: Mapping[str, Any], where: str, pictures: list[bytes], vision: Vision) -> dict[str, Any]:
    """A message as templates of models that see expect it: content as a list of parts, of which `pictures` takes the pictures."""
    content = message.get("content") or []
    parts: list[dict[str, Any]] = []
    for at, part in enumerate([{"type": "text", "text": content}] if isinstance(content, str) else content):
        if part["type"] in KINDS and vision.blind:
            raise ApiError(400, f"This model is served for text alone: {vision.blind}.", param=f"{where}.content[{at}]")
        if part["type"] in KINDS:
            pictures.append(image_bytes(part, f"{where}.content[{at}]"))
            parts.append({"type": "image"})
        elif part["type"] == "text" and "text" in part:
            parts.append({"type": "text", "text": part["text"]})
        else:
            what = f"`{where}.content` has a part of type `{part['type']}`; this model reads text and pictures."
            raise ApiError(400, what, param=f"{where}.content")
    role = "system" if message["role"] == "developer" else message["role"]  # the newer name of the same role
    return {**message, "role": role, "content": parts}


def plain_message(message: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A message as templates of text models expect it: content as one string."""
    content = message.get("content")
    if isinstance(content, list):
        other = [part["type"] for part in content if part["type"] != "text" or "text" not in part]
        if other:
            raise ApiError(400, f"`{where}.content` has a part of type `{other[0]}`; this model reads text only.", param=f"{where}.content")
        content = "".join(part["text"] for part in content)
    plain = {**message, "content": content or ""}
    if plain["role"] == "developer":  # the newer name of the same role
        plain["role"] = "system"
    return plain


def completion_prompts(request: Mapping[str, Any], vocabulary: Vocabulary) -> list[list[int]]:
    """One list of ids per prompt; a prompt is a text or a list of ids, alone or in a list."""
    prompt = request["prompt"]
    many: Sequence[Any] = prompt if isinstance(prompt, list) and not isinstance(prompt[0], int) else [prompt]
    return [_encode(p, vocabulary, "prompt", special=True) if isinstance(p, str) else _known(p, vocabulary) for p in many]


def _known(ids: Sequence[int], vocabulary: Vocabulary) -> list[int]:
    try:
        vocabulary.check(ids)
    except Unreadable as error:
        raise ApiError(400, f"`prompt` can't be read: {error}", param="prompt") from None
    return list(ids)


def _encode(text: str, vocabulary: Vocabulary, param: str, *, special: bool) -> list[int]:
    try:
        ids = vocabulary.encode(text, special=special)
    except Unreadable as error:
        raise ApiError(400, f"`{param}` can't be read: {error}", param=param, code="context_length_exceeded") from None
    if not ids:
        raise ApiError(400, f"`{param}` is empty: there is nothing to continue.", param=param)
    return ids
