"""Memory of a model that is evaluated here, from its configuration alone, and what so many rows can show. Without heavy libraries."""

from __future__ import annotations

import dataclasses

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import BYTES, ModelShape, compute_type, stored_type
from tunesmith_statistics import resolution

RUNTIME, VOCABULARY = 400e6, 2000.0  # Python with torch and transformers; bytes that a tokenizer takes for each of its tokens


def estimate(request: EstimateRequest) -> Estimate | None:
    """Of an evaluator whose rows are each right or wrong; not of numbers (a regression), whose errors nobody knows before."""
    rows = int(request.data.get("rows", 0)) - int(request.settings.get("num_fewshot", 0))
    decisions = () if request.config.get("problem_type") == "regression" else resolution(rows)
    found = memory(request) or (Estimate({}) if decisions else None)
    return dataclasses.replace(found, decisions=decisions) if found else None


def memory(request: EstimateRequest) -> Estimate | None:
    """The weights with, first, the files that they are read from, later what a layer computes of a batch: the larger of both.

    None where the model's sizes are unknown.
    """
    shape, settings = ModelShape.of(request), request.settings
    warnings = tuple(request.data.get("warnings", ()))
    if shape is None:
        return Estimate({}, warnings=warnings) if warnings else None
    kind = stored_type(shape.config)
    stored = BYTES.get(kind, 2.0)
    each = BYTES[compute_type(str(settings["dtype"]), kind, request)[0]]
    tokens = float(max(settings["max_tokens_per_microbatch"], settings["max_length"]))
    if characters := float(request.data.get("characters", 0)):
        tokens = min(tokens, characters)
    widest = 3 * shape.intermediate + 6 * shape.hidden + 4 * shape.heads * shape.head_size
    files = {"files while loading": shape.parameters * stored if each != stored else 0.0}
    return Estimate(
        {"runtime": RUNTIME + shape.vocabulary * VOCABULARY, "weights": shape.parameters * each}
        | max({"activations": tokens * widest * each}, files, key=lambda terms: sum(terms.values())),
        warnings=warnings,
    )
