"""Disk of the context; and the memory that a container of it takes, from the model's sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, UserError
from tunesmith_models import ModelShape

LIBRARIES = 60 * 2**20  # Python and llama.cpp in the container
READING = 30e6  # resident while the context is written
USUAL = 4096  # tokens of context where nobody asks for another
_BATCH = 512  # tokens that llama.cpp computes at once (its `n_ubatch`)


def estimate(request: EstimateRequest) -> Estimate:
    """
    Raises:
        UserError: TS-EXPORT-002 for a `ctx_size` beyond the model's context.
    """
    context_of(request.settings["ctx_size"], request.config)
    return Estimate({"libraries": READING}, disk=float(request.input_bytes))


def context_of(asked: int | None, config: Mapping[str, Any]) -> int:
    """Tokens of a prompt and its answer together, as `ctx_size` asks for them.

    Raises:
        UserError: TS-EXPORT-002.
    """
    own = config.get("max_position_embeddings")
    has = own if isinstance(own, int) else None
    if asked and has and asked > has:
        raise UserError(
            "TS-EXPORT-002", f"`ctx_size: {asked}` is more than the model's context of {has} tokens",
            why="Beyond it a model has not been trained, and says nonsense.", fix=f"Set it to {has} at most, or leave it out.",
        )  # fmt: skip
    return asked or min(USUAL, has or USUAL)


def container_memory(config: Mapping[str, Any], weights: int, ctx_size: int, parallel: int) -> int:
    """Bytes: the file, keys and values of all slots in 16 bits, which llama.cpp allocates at the start, activations, the libraries."""
    shape = ModelShape.from_config(config)
    if shape is None:
        return weights + LIBRARIES
    widest = 2 * shape.intermediate + 4 * shape.hidden + 2 * shape.heads * shape.head_size
    activations = (_BATCH * widest + parallel * shape.vocabulary) * 4
    return int(weights + LIBRARIES + shape.kv_bytes(ctx_size * parallel) + activations)
