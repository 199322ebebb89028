"""A small engine: a real HTTP server in a process of its own that speaks the OpenAI API and writes words made of the question.

``python small_engine.py PORT [--says WORD] [--pause SECONDS] [--slots N] [--api-key KEY] [--fails-at WORD]``. The answer to a question is
the same each time: ``WORD:question 0 1 2 ...``, as many numbers as ``max_tokens``. One that holds ``hang`` is never answered, one with
``half`` is broken off in the middle of its stream, one with ``fail`` gets status 500, one with ``slow`` takes ten times as long, one with
``die`` ends the process, with ``midway`` as soon as a stream has begun and not ended. ``GET /state`` tells how many requests are under way
and how many were broken off by their clients.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import time
from collections.abc import Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

state = {"running": 0, "midway": 0, "answered": 0, "gone": 0, "headers": {}}


def words(asked: dict, question: str, options: argparse.Namespace) -> list[str]:
    return [f"{options.says}:{question}", *(f" {number}" for number in range(asked.get("max_tokens", 4)))]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--says", default="one")
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--slots", type=int, default=1000)
    parser.add_argument("--api-key", default="")
    parser.add_argument("--fails-at", default="", help="a word in questions that get status 500")
    options = parser.parse_args(arguments)

    def refused(request: Request) -> Response | None:
        if options.api_key and request.headers.get("authorization") != f"Bearer {options.api_key}":
            return JSONResponse({"error": {"message": "who are you?"}}, 401)
        return None

    async def answer(request: Request) -> Response:
        if response := refused(request):
            return response
        asked = await request.json()
        state["headers"] = dict(request.headers)
        chat = "messages" in asked
        question = str(asked["messages"][-1]["content"] if chat else asked["prompt"])
        if state["running"] >= options.slots:
            return JSONResponse({"error": {"message": "no slot is free"}}, 429, {"Retry-After": "7"})
        if "fail" in question or (options.fails_at and options.fails_at in question):
            return JSONResponse({"error": {"message": "it failed"}}, 500)
        while "midway" in question and not state["midway"]:
            await asyncio.sleep(0.001)
        if "die" in question:
            os.kill(os.getpid(), signal.SIGKILL)
        pause = options.pause * (10 if "slow" in question else 1)
        told = words(asked, question, options)
        head = {"id": f"made-{os.getpid()}", "model": asked["model"], "created": 0}
        if not asked.get("stream"):
            state["running"] += 1
            try:
                until = time.monotonic() + (3600 if "hang" in question else pause * len(told))
                while (left := until - time.monotonic()) > 0:
                    await asyncio.sleep(min(left, 0.1))
                    if await request.is_disconnected():
                        return Response(status_code=499)
            finally:
                state["running"] -= 1
            state["answered"] += 1
            choice = {"index": 0, "finish_reason": "stop"}
            choice |= {"message": {"role": "assistant", "content": "".join(told)}} if chat else {"text": "".join(told)}
            return JSONResponse(head | {"object": "chat.completion", "choices": [choice]})

        async def events():
            state["running"] += 1
            whole = begun = False
            try:
                if "hang" in question:
                    await asyncio.sleep(3600)
                for number, word in enumerate(told):
                    if "half" in question and number == len(told) // 2:
                        raise ConnectionResetError
                    choice = {"index": 0, "finish_reason": "stop" if number == len(told) - 1 else None}
                    choice |= {"delta": {"content": word}} if chat else {"text": word}
                    yield f"data: {json.dumps(head | {'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"
                    state["midway"] += not begun
                    begun = True
                    await asyncio.sleep(pause)
                yield "data: [DONE]\n\n"
                whole = True
                state["answered"] += 1
            finally:
                state["running"] -= 1
                state["midway"] -= begun
                state["gone"] += not whole

        return StreamingResponse(events(), media_type="text/event-stream")

    async def models(request: Request) -> Response:
        return refused(request) or JSONResponse({"object": "list", "data": [{"id": "small", "object": "model"}]})

    async def told(request: Request) -> Response:
        return JSONResponse(state)

    routes = [
        Route("/v1/chat/completions", answer, methods=["POST"]),
        Route("/v1/completions", answer, methods=["POST"]),
        Route("/v1/models", models),
        Route("/health", told),
        Route("/state", told),
    ]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=options.port, log_level="critical", timeout_graceful_shutdown=30)


if __name__ == "__main__":
    main()
