"""What the two generating routes have in common: whole answers and streams of chunks."""

from __future__ import annotations

import json
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tunesmith_transformers.api.errors import ApiError, unexpected
from tunesmith_transformers.api.request.request_sequences import Job
from tunesmith_transformers.api.service import Service, unless_gone
from tunesmith_transformers.engine.sequence import Delta
from tunesmith_transformers.text.answer_text import Placed
from tunesmith_transformers.text.token_logprob import TokenLogprob


@dataclass
class Answer:
    """One choice, put together from its deltas."""

    text: str = ""
    tokens: int = 0
    logprobs: list[Placed] = field(default_factory=list)
    prompt_logprobs: list[TokenLogprob] = field(default_factory=list)
    finish: str = ""

    def add(self, delta: Delta) -> None:
        self.text += delta.text
        self.tokens = delta.tokens
        self.logprobs += delta.logprobs
        self.prompt_logprobs += delta.prompt_logprobs
        self.finish = delta.finish


@dataclass(frozen=True)
class Shape:
    """How a route writes its answers.

    Args:
        id: of the answer, as clients see it.
        whole, chunk: the ``object`` of a whole answer and of a chunk.
        choice: (index, answer) -> a choice of a whole answer.
        piece: (index, delta) -> the choice of a chunk, None for a chunk that would say nothing.
        opening: choices of chunks to send before the first token.
    """

    id: str
    whole: str
    chunk: str
    choice: Callable[[int, Answer], dict[str, Any]]
    piece: Callable[[int, Delta], dict[str, Any] | None]
    opening: tuple[dict[str, Any], ...] = ()


def new_id(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex}"


async def respond(service: Service, request: Request, asked: dict[str, Any], job: Job, shape: Shape) -> Response:
    """Start the job and answer, at once or as a stream."""
    job.start()
    head = {"id": shape.id, "created": int(time.time()), "model": asked["model"]}
    if asked.get("stream"):
        events = _events(service, job, shape, head | {"object": shape.chunk}, asked.get("stream_options", {}))
        # the background task runs even if the client is gone before the first event is asked for
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"}, background=BackgroundTask(job.close)
        )
    try:
        answers = await unless_gone(request, _collect(job))
    finally:
        await job.close()

    def whole() -> JSONResponse:
        choices = [shape.choice(index, answer) for index, answer in enumerate(answers)]
        return JSONResponse(head | {"object": shape.whole, "choices": choices, "usage": _usage(job, [a.tokens for a in answers])})

    return await service.beside(whole)


async def _collect(job: Job) -> list[Answer]:
    answers = [Answer() for _ in job.sequences]
    async for index, delta in job.deltas():
        answers[index].add(delta)
    return answers


async def _events(service: Service, job: Job, shape: Shape, head: dict[str, Any], options: dict[str, Any]) -> AsyncIterator[bytes]:
    """Server-sent events: the chunks, the usage if asked for, ``[DONE]``; an error takes the place of what it keeps from coming.

    Args:
        options: `stream_options` of the request; vLLM's ``continuous_usage_stats`` has each chunk say the usage so far.
    """
    tokens = [0] * len(job.sequences)
    with_usage, in_each = options.get("include_usage", False), options.get("continuous_usage_stats", False)

    def event(choice: dict[str, Any]) -> bytes:
        extra = {"usage": _usage(job, tokens) if in_each else None} if with_usage else {}
        return _event(head | {"choices": [choice]} | extra)

    def chunk(index: int, delta: Delta) -> bytes:
        choice = shape.piece(index, delta)
        return event(choice) if choice is not None else b""

    try:
        for choice in shape.opening:
            yield event(choice)
        async for index, delta in job.deltas():
            tokens[index] = delta.tokens
            if said := (await service.beside(partial(chunk, index, delta)) if delta.prompt_logprobs else chunk(index, delta)):
                yield said
        if with_usage:
            yield _event(head | {"choices": [], "usage": _usage(job, tokens)})
    except ApiError as error:
        yield _event(error.body())
    except Exception as error:
        traceback.print_exc()
        yield _event(unexpected(error).body())
    finally:
        await job.close()
    yield b"data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def _usage(job: Job, tokens: list[int]) -> dict[str, Any]:
    generated = sum(tokens)
    return {
        "prompt_tokens": job.prompt_tokens, "completion_tokens": generated, "total_tokens": job.prompt_tokens + generated,
        "prompt_tokens_details": {"cached_tokens": job.cached_tokens},
    }  # fmt: skip
