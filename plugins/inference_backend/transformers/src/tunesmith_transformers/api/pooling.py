"""``POST /pooling``, as vLLM's: scores of a reward model, classes of a classifier."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.scoring import ScoringModel
from tunesmith_transformers.api.generation_response import new_id
from tunesmith_transformers.api.pooling_results import results, usage_of
from tunesmith_transformers.api.request.pooling_inputs import pooling_inputs, several
from tunesmith_transformers.api.request.request_schema import POOLING
from tunesmith_transformers.api.service import Service

PER_PLACE = ("classify-tokens", "process-reward")  #: roles that say something of each word or step
REGRESSION, MULTI_LABEL = "regression", "multi_label_classification"


async def pooling(service: Service, request: Request) -> Response:
    """The head's numbers for each input: a list, or of taggers and process reward models one for each word or step."""
    asked, sequences = await service.prepared(request, POOLING, partial(_prepare, service))
    found = await results(service, request, sequences)
    model = service.pooler.model
    data = [
        {"index": index, "object": "pooling", "data": numbers(scores, model, asked.get("use_activation"))}
        for index, scores in enumerate(found)
    ]
    told = {"id": new_id("pool"), "object": "list", "created": service.created, "model": service.name}
    return JSONResponse({**told, "data": data, "usage": usage_of(sequences)})


def _prepare(service: Service, asked: dict[str, Any]) -> tuple[dict[str, Any], list[TokenSequence]]:
    """(The request, its sequences); not for the event loop."""
    service.check_count(len(several(asked["input"])) if "input" in asked else 1, "input")
    return asked, pooling_inputs(asked, service.pooler.model, service.pooler.limits)


def numbers(scores: torch.Tensor, model: ScoringModel, use_activation: bool | None) -> list[Any]:
    """(places, width) as a response has it.

    Args:
        use_activation: probabilities in place of what the head gives; None: where it has classes.
    """
    plain = model.role == "reward" or model.problem_type == REGRESSION
    if use_activation if use_activation is not None else not plain:
        single = scores.shape[1] == 1 or model.problem_type == MULTI_LABEL
        scores = scores.sigmoid() if single else scores.softmax(-1)
    return scores.tolist() if model.role in PER_PLACE else scores[0].tolist()
