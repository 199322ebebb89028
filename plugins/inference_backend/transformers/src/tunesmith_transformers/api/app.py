"""The application: routes, errors, counting."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tunesmith_transformers.api.chat import chat
from tunesmith_transformers.api.completions import completions
from tunesmith_transformers.api.embeddings import embeddings
from tunesmith_transformers.api.errors import ApiError, unexpected
from tunesmith_transformers.api.pooling import pooling
from tunesmith_transformers.api.responses.route import responses
from tunesmith_transformers.api.service import Gone, Service
from tunesmith_transformers.api.tokenization import detokenize, tokenize

Endpoint = Callable[[Service, Request], Awaitable[Response]]


def make_app(service: Service) -> Starlette:
    """The OpenAI API for one model."""

    def route(path: str, endpoint: Endpoint, method: str = "GET") -> Route:
        return Route(path, partial(_answer, service, path, endpoint), methods=[method])

    return Starlette(
        routes=[
            route("/v1/chat/completions", chat, "POST"),
            route("/v1/completions", completions, "POST"),
            route("/v1/responses", responses, "POST"),
            route("/tokenize", tokenize, "POST"),
            route("/detokenize", detokenize, "POST"),
            route("/v1/embeddings", embeddings, "POST"),
            route("/pooling", pooling, "POST"),
            route("/v1/models", _models),
            route("/v1/models/{model:path}", _model),
            route("/health", _health),
            route("/metrics", _metrics),
        ],
        exception_handlers={HTTPException: _no_route},
    )


async def _answer(service: Service, path: str, endpoint: Endpoint, request: Request) -> Response:
    try:
        service.check_source(request)
        service.check_answers(path)
        response = await endpoint(service, request)
    except ApiError as error:
        response = error.response()
    except Gone:
        response = Response(status_code=499)  # nobody reads it; the number is nginx's, for the counter
    except Exception as error:  # a fault of ours: this request's alone
        traceback.print_exc()
        response = unexpected(error).response()
    service.metrics.requests.labels(path, str(response.status_code)).inc()
    return response


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = ApiError(error.status_code, f"{error.detail}: {request.method} {request.url.path}").response()
    response.headers.update(error.headers or {})
    return response


def _card(service: Service) -> dict[str, Any]:
    return {
        "id": service.name, "object": "model", "created": service.created, "owned_by": "tunesmith",
        "max_model_len": service.worker.limits.length, **_numbers(service),
    }  # fmt: skip


def _numbers(service: Service) -> dict[str, Any]:
    """Of a model that gives no words: what it gives, and what the numbers are about."""
    if not service.role:
        return {}
    model = service.pooler.model
    return {"role": service.role, "dimensions": model.hidden_size} if not model.labels else {"role": service.role, "labels": model.labels}


async def _models(service: Service, request: Request) -> Response:
    service.check_ready()
    return JSONResponse({"object": "list", "data": [_card(service)]})


async def _model(service: Service, request: Request) -> Response:
    service.check_ready()
    service.check_model(request.path_params["model"])
    return JSONResponse(_card(service))


async def _health(service: Service, request: Request) -> Response:
    service.check_ready()
    return JSONResponse({"status": "ok"})


async def _metrics(service: Service, request: Request) -> Response:
    return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)
