"""``POST /v1/chat/completions``."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tunesmith_transformers.api.conversation import prepare
from tunesmith_transformers.api.generation_response import Answer, Shape, new_id, respond
from tunesmith_transformers.api.logprob_format import chat_logprobs
from tunesmith_transformers.api.request.request_schema import CHAT
from tunesmith_transformers.api.request.request_sequences import Job
from tunesmith_transformers.api.service import Service
from tunesmith_transformers.engine.sequence import Delta
from tunesmith_transformers.text.message import CallPart, MessageForm, MessageParser


async def chat(service: Service, request: Request) -> Response:
    """Answer a conversation."""
    return await respond(service, request, *await service.prepared(request, CHAT, partial(_prepare, service)))


def _prepare(service: Service, asked: dict[str, Any]) -> tuple[dict[str, Any], Job, Shape]:
    """(The request, its sequences, how they are written); not for the event loop."""
    vocabulary, n = service.vocabulary, asked.get("n", 1)
    service.check_count(n, "n")
    conversation = prepare(service, asked)
    form, with_logprobs = conversation.form, conversation.sampling.logprobs is not None

    def choice(index: int, answer: Answer) -> dict[str, Any]:
        parser = MessageParser(form)
        parts = parser.push(answer.text, last=True)
        message: dict[str, Any] = {"role": "assistant", "content": parts.content, "refusal": None}
        if parts.reasoning:
            message["reasoning_content"] = parts.reasoning
        if parts.calls:
            message["content"] = parts.content or None
            message["tool_calls"] = [_call(part) for part in parts.calls]
        logprobs = chat_logprobs(answer.logprobs, vocabulary) if with_logprobs else None
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": _finish(answer.finish, parser, form)}

    parsers = [MessageParser(form) for _ in range(n)]

    def piece(index: int, delta: Delta) -> dict[str, Any] | None:
        parser = parsers[index]
        parts = parser.push(delta.text, last=bool(delta.finish))
        if not (parts.reasoning or parts.content or parts.calls or delta.finish or delta.logprobs):
            return None
        said: dict[str, Any] = {}
        if parts.reasoning:
            said["reasoning_content"] = parts.reasoning
        if parts.content:
            said["content"] = parts.content
        if parts.calls:
            said["tool_calls"] = [{"index": part.index, **_call(part)} for part in parts.calls]
        logprobs = chat_logprobs(delta.logprobs, vocabulary) if with_logprobs else None
        return {"index": index, "delta": said, "logprobs": logprobs, "finish_reason": _finish(delta.finish, parser, form) or None}

    opening = tuple({"index": i, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None} for i in range(n))
    shape = Shape(new_id("chatcmpl"), "chat.completion", "chat.completion.chunk", choice, piece, opening)
    return asked, Job(service.engine, vocabulary, [(conversation.prompt.ids, conversation.sampling)], n, conversation.prompt.seen), shape


def _call(part: CallPart) -> dict[str, Any]:
    if not part.name:
        return {"function": {"arguments": part.arguments}}
    return {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": {"name": part.name, "arguments": part.arguments}}


def _finish(finish: str, parser: MessageParser, form: MessageForm) -> str:
    """As the API has it: ``tool_calls`` where the model chose to call, ``stop`` where it had to call one named tool."""
    return "tool_calls" if finish == "stop" and parser.count and form.forced in ("", "*") else finish
