"""Memory of scoring a model that is computed here, from its configuration alone. Standard library and contracts only."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import BYTES, ModelShape, check_media, compute_type, stored_type

RUNTIME, VOCABULARY = 400e6, 2000.0  # Python with torch and transformers; bytes that a tokenizer takes for each of its tokens
CHUNK, FEWEST = 31 * 2**20, 128  # bytes of float32 logits at a time, and rows of them at least
CHARACTERS_PER_TOKEN, TEMPLATE_TOKENS = 4.0, 30


def estimate(request: EstimateRequest) -> Estimate | None:
    """The weights with, first, the files that they are read from, later what a layer computes and a chunk of logits: the larger of both.

    None where the model's sizes are unknown.
    """
    unsure = (*check_media(request), *request.data.get("warnings", ()))
    shape, settings = ModelShape.of(request), request.settings
    if shape is None:
        return Estimate({}, warnings=unsure) if unsure else None
    kind = stored_type(shape.config)
    stored = BYTES.get(kind, 2.0)
    each = BYTES[compute_type(str(settings["dtype"]), kind, request)[0]]
    tokens = _tokens(request)
    inner, wide = 3 * shape.intermediate, 6 * shape.hidden + 4 * shape.heads * shape.head_size
    chunk = min(max(CHUNK, FEWEST * shape.vocabulary * 4.0), tokens * shape.vocabulary * 4.0)
    computing = {"activations": tokens * (inner + wide) * each, "logits": chunk * 3}
    files = {"files while loading": shape.parameters * stored if each != stored else 0.0}
    return Estimate(
        {"runtime": RUNTIME + shape.vocabulary * VOCABULARY, "weights": shape.parameters * each}
        | max(computing, files, key=lambda terms: sum(terms.values())),
        warnings=unsure,
    )


def _tokens(request: EstimateRequest) -> float:
    """In one forward pass."""
    budget, length = float(request.settings["max_tokens_per_microbatch"]), float(request.settings["max_length"])
    rows, characters = float(request.data.get("rows", 0)), float(request.data.get("characters", 0))
    if request.data.get("length"):
        length = min(length, float(request.data["length"]))
    elif rows and characters:
        length = min(length, characters / rows / CHARACTERS_PER_TOKEN + TEMPLATE_TOKENS)
    return min(max(1.0, budget // length), rows or budget) * length
