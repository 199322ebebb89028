"""What the routes of models without words share: waiting for the pooler, and what a request counts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import torch
from starlette.requests import Request

from tunesmith_torch.api import TokenSequence
from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.api.service import Service, unless_gone
from tunesmith_transformers.engine.engine import Draining, QueueFull
from tunesmith_transformers.pooling.pooler import Cancelled


async def results(service: Service, request: Request, sequences: Sequence[TokenSequence]) -> list[torch.Tensor]:
    """The numbers of each sequence.

    Raises:
        ApiError: 429 when too many wait, 503 when the server is going down, 500 if the model failed.
        Gone: the client has hung up; what has not begun is not computed.
    """
    try:
        futures = service.pooler.submit(sequences)
    except QueueFull:
        raise ApiError(429, "Too many requests are waiting. Try again in a moment.", code="queue_full") from None
    except Draining:
        raise ApiError(503, "The server is shutting down.", code="draining") from None
    try:
        return list(await unless_gone(request, asyncio.gather(*map(asyncio.wrap_future, futures))))
    except Cancelled:
        raise ApiError(503, "The server shut down before the answer was complete.", code="draining") from None
    except (RuntimeError, ValueError, IndexError) as error:
        raise ApiError(500, f"The model failed: {type(error).__name__}: {error}", code="engine_error") from None
    finally:
        for future in futures:
            future.cancel()


def usage_of(sequences: Sequence[TokenSequence]) -> dict[str, int]:
    """As OpenAI counts."""
    tokens = sum(len(sequence.tokens) for sequence in sequences)
    return {"prompt_tokens": tokens, "total_tokens": tokens}
