"""``POST /tokenize`` and ``/detokenize``, with vLLM's fields."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.api.request.prompts import chat_prompt
from tunesmith_transformers.api.request.request_schema import DETOKENIZE, TOKENIZE
from tunesmith_transformers.api.service import Service
from tunesmith_transformers.text.vocabulary import Unreadable


async def tokenize(service: Service, request: Request) -> Response:
    """The ids of a text, or of a conversation through the chat template."""
    return JSONResponse(await service.prepared(request, TOKENIZE, partial(_tokens, service)))


def _tokens(service: Service, asked: dict[str, Any]) -> dict[str, Any]:
    if ("prompt" in asked) == ("messages" in asked):
        raise ApiError(400, "Give either a `prompt` or `messages`.", param="prompt")
    vocabulary = service.vocabulary
    if "messages" in asked:
        vision = service.vision
        ids = [vision.token if vision and token < 0 else token for token in chat_prompt(asked, vocabulary, vision=vision).ids]
    else:
        try:
            ids = vocabulary.encode(asked["prompt"], special=asked.get("add_special_tokens", True))
        except Unreadable as error:
            raise ApiError(400, f"`prompt` can't be read: {error}", param="prompt") from None
    strings = [vocabulary.token_text(token) for token in ids] if asked.get("return_token_strs") else None
    return {"count": len(ids), "max_model_len": service.engine.limits.length, "tokens": ids, "token_strs": strings}


async def detokenize(service: Service, request: Request) -> Response:
    """The text of ids, special tokens included."""
    return JSONResponse(await service.prepared(request, DETOKENIZE, partial(_text, service)))


def _text(service: Service, asked: dict[str, Any]) -> dict[str, str]:
    try:
        service.vocabulary.check(asked["tokens"])
    except Unreadable as error:
        raise ApiError(400, f"`tokens` can't be read: {error}", param="tokens") from None
    return {"prompt": service.vocabulary.decode(asked["tokens"], special=True)}
