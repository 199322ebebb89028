"""``POST /v1/completions``: continues texts, and scores them (``echo`` with ``logprobs``)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tunesmith_transformers.api.conversation import response_grammar
from tunesmith_transformers.api.generation_response import Answer, Shape, new_id, respond
from tunesmith_transformers.api.logprob_format import completion_logprobs, place_prompt
from tunesmith_transformers.api.request.prompts import completion_prompts
from tunesmith_transformers.api.request.request_schema import COMPLETION
from tunesmith_transformers.api.request.request_sequences import Job
from tunesmith_transformers.api.request.sampling_request import sampling
from tunesmith_transformers.api.service import Service
from tunesmith_transformers.engine.sequence import Delta


async def completions(service: Service, request: Request) -> Response:
    """Continue one or more prompts; answers are numbered prompt by prompt."""
    return await respond(service, request, *await service.prepared(request, COMPLETION, partial(_prepare, service)))


def _prepare(service: Service, asked: dict[str, Any]) -> tuple[dict[str, Any], Job, Shape]:
    """(The request, its sequences, how they are written); not for the event loop."""
    vocabulary, n, length = service.vocabulary, asked.get("n", 1), service.engine.limits.length
    given = asked["prompt"] if isinstance(asked["prompt"], list) else [asked["prompt"]]
    service.check_count(n if isinstance(given[0], int) else n * len(given), "prompt")
    prompts = completion_prompts(asked, vocabulary)
    format = response_grammar(service, asked.get("response_format", {}))
    wanted = [replace(sampling(asked, service.defaults, vocabulary, len(ids), length, chat=False), grammar=format) for ids in prompts]
    alternatives = wanted[0].logprobs
    echoed = [""] * len(prompts)
    if asked.get("echo"):
        texts = given if isinstance(given[0], str) else [vocabulary.decode(ids) for ids in prompts]
        echoed = [str(text) for text in texts]
    begun: set[int] = set()

    def choice(index: int, answer: Answer | Delta) -> dict[str, Any]:
        prompt, logprobs = index // n, None
        text = echoed[prompt] if index not in begun else ""
        if alternatives is not None:
            logprobs = completion_logprobs(answer.logprobs, vocabulary, alternatives, len(echoed[prompt]))
            if asked.get("echo") and index not in begun:
                placed = place_prompt(prompts[prompt], answer.prompt_logprobs, vocabulary)
                first = completion_logprobs(placed, vocabulary, alternatives, 0)
                logprobs = {name: first[name] and [*first[name], *(logprobs[name] or ())] for name in first}
        begun.add(index)
        return {"index": index, "text": text + answer.text, "logprobs": logprobs, "finish_reason": answer.finish or None}

    def piece(index: int, delta: Delta) -> dict[str, Any] | None:
        speaks = delta.text or delta.finish or delta.logprobs or (asked.get("echo") and index not in begun)
        return choice(index, delta) if speaks else None

    shape = Shape(new_id("cmpl"), "text_completion", "text_completion", choice, piece)
    return asked, Job(service.engine, vocabulary, list(zip(prompts, wanted, strict=True)), n), shape
