"""The route: a response at once, or its events as they come."""

from __future__ import annotations

import json
import traceback
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tunesmith_transformers.api.conversation import prepare
from tunesmith_transformers.api.errors import ApiError, unexpected
from tunesmith_transformers.api.request.request_schema import RESPONSE
from tunesmith_transformers.api.request.request_sequences import Job
from tunesmith_transformers.api.responses.events import Event, Recorder
from tunesmith_transformers.api.responses.input_items import as_chat
from tunesmith_transformers.api.service import Service, unless_gone


async def responses(service: Service, request: Request) -> Response:
    """Answer the input."""
    asked, job, recorder = await service.prepared(request, RESPONSE, partial(_prepare, service))
    job.start()
    if asked.get("stream"):
        return StreamingResponse(
            _streamed(job, recorder), media_type="text/event-stream", headers={"Cache-Control": "no-cache"},
            background=BackgroundTask(job.close),
        )  # fmt: skip
    try:
        await unless_gone(request, _exhausted(_events(job, recorder)))
    finally:
        await job.close()
    return JSONResponse(recorder.response)


def _prepare(service: Service, asked: dict[str, Any]) -> tuple[dict[str, Any], Job, Recorder]:
    """(The request, its sequence, what records it); not for the event loop."""
    conversation = prepare(service, as_chat(asked))
    job = Job(service.engine, service.vocabulary, [(conversation.prompt.ids, conversation.sampling)], 1, conversation.prompt.seen)
    return asked, job, Recorder(asked, conversation.form)


async def _events(job: Job, recorder: Recorder) -> AsyncIterator[Event]:
    for event in recorder.begin():
        yield event
    finish, tokens = "", 0
    async for _, delta in job.deltas():
        finish, tokens = delta.finish, delta.tokens
        for event in recorder.push(delta):
            yield event
    for event in recorder.end(finish, job.prompt_tokens, job.cached_tokens, tokens):
        yield event


async def _exhausted(events: AsyncIterator[Event]) -> None:
    async for _ in events:
        pass


async def _streamed(job: Job, recorder: Recorder) -> AsyncIterator[bytes]:
    """Server-sent events; one that says what failed takes the place of what it keeps from coming."""
    try:
        async for event in _events(job, recorder):
            yield _sent(event)
    except ApiError as error:
        yield _sent(recorder.fail(error.message))
    except Exception as error:
        traceback.print_exc()
        yield _sent(recorder.fail(unexpected(error).message))
    finally:
        await job.close()


def _sent(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
