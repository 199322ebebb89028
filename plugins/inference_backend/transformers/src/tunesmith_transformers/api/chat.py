"""``POST /v1/chat/completions``."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tunesmith_transformers.api.generation_response import Answer, Shape, new_id, respond
from tunesmith_transformers.api.logprob_format import chat_logprobs
from tunesmith_transformers.api.prompts import chat_prompt
from tunesmith_transformers.api.request_schema import CHAT
from tunesmith_transformers.api.request_sequences import Job
from tunesmith_transformers.api.sampling_request import sampling
from tunesmith_transformers.api.service import Service
from tunesmith_transformers.engine.sequence import Delta


async def chat(service: Service, request: Request) -> Response:
    """Answer a conversation."""
    return await respond(service, request, *await service.prepared(request, CHAT, partial(_prepare, service)))


def _prepare(service: Service, asked: dict[str, Any]) -> tuple[dict[str, Any], Job, Shape]:
    """(The request, its sequences, how they are written); not for the event loop."""
    vocabulary, n = service.vocabulary, asked.get("n", 1)
    service.check_count(n, "n")
    prompt = chat_prompt(asked, vocabulary)
    wanted = sampling(asked, service.defaults, vocabulary, len(prompt), service.engine.limits.length, chat=True)
    with_logprobs = wanted.logprobs is not None

    def choice(index: int, answer: Answer) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        logprobs = chat_logprobs(answer.logprobs, vocabulary) if with_logprobs else None
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": answer.finish}

    def piece(index: int, delta: Delta) -> dict[str, Any] | None:
        if not (delta.text or delta.finish or delta.logprobs):
            return None
        content = {"content": delta.text} if delta.text else {}
        logprobs = chat_logprobs(delta.logprobs, vocabulary) if with_logprobs else None
        return {"index": index, "delta": content, "logprobs": logprobs, "finish_reason": delta.finish or None}

    opening = tuple({"index": i, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None} for i in range(n))
    shape = Shape(new_id("chatcmpl"), "chat.completion", "chat.completion.chunk", choice, piece, opening)
    return asked, Job(service.engine, vocabulary, [(prompt, wanted)], n), shape
