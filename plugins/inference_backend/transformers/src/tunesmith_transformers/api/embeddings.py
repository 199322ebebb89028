"""``POST /v1/embeddings``, as OpenAI's."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

import torch
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tunesmith_torch.api import TokenSequence
from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.api.pooling_results import results, usage_of
from tunesmith_transformers.api.request.pooling_inputs import embedding_inputs, several
from tunesmith_transformers.api.request.request_schema import EMBEDDING
from tunesmith_transformers.api.service import Service


async def embeddings(service: Service, request: Request) -> Response:
    """A vector of length 1 for each text."""
    asked, sequences = await service.prepared(request, EMBEDDING, partial(_prepare, service))
    vectors = await results(service, request, sequences)
    return JSONResponse(await service.beside(lambda: _body(service.name, asked, vectors, sequences)))


def _prepare(service: Service, asked: dict[str, Any]) -> tuple[dict[str, Any], list[TokenSequence]]:
    """(The request, its sequences); not for the event loop."""
    pooler = service.pooler
    service.check_count(len(several(asked["input"])), "input")
    _check_dimensions(asked.get("dimensions"), pooler.model)
    return asked, embedding_inputs(asked, pooler.model, pooler.limits)


def _check_dimensions(wanted: int | None, model: Any) -> None:
    possible = sorted({*map(int, model.usage.get("matryoshka_dims") or ()), model.hidden_size})
    if wanted is None or wanted in possible:
        return
    trained = "it was trained for no fewer" if len(possible) == 1 else f"it was trained for {', '.join(map(str, possible))}"
    raise ApiError(400, f"This model's embeddings have {model.hidden_size} numbers, and {trained}", param="dimensions")


def _body(name: str, asked: dict[str, Any], vectors: list[torch.Tensor], sequences: list[TokenSequence]) -> dict[str, Any]:
    if asked.get("dimensions"):
        vectors = [torch.nn.functional.normalize(vector[: asked["dimensions"]], dim=-1) for vector in vectors]
    write = _base64 if asked.get("encoding_format") == "base64" else torch.Tensor.tolist
    data = [{"object": "embedding", "index": index, "embedding": write(vector)} for index, vector in enumerate(vectors)]
    return {"object": "list", "data": data, "model": name, "usage": usage_of(sequences)}


def _base64(vector: torch.Tensor) -> str:
    """float32, the lowest byte first."""
    return base64.b64encode(vector.numpy().astype("<f4").tobytes()).decode()
