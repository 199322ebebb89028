"""Disk of the folder, and whether the context that is asked for is the model's, before anything runs."""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, UserError

LIBRARIES = 120e6  # resident after importing gguf, numpy and jinja2, and reading a vocabulary


def estimate(request: EstimateRequest) -> Estimate:
    """
    Raises:
        UserError: TS-EXPORT-002 for a `num_ctx` beyond the model's context.
    """
    check_context(request.settings["num_ctx"], request.config.get("max_position_embeddings"))
    return Estimate({"libraries": LIBRARIES}, disk=float(request.input_bytes))


def check_context(asked: int | None, has: Any) -> None:
    """
    Raises:
        UserError: TS-EXPORT-002.
    """
    if asked and isinstance(has, int) and asked > has:
        raise UserError(
            "TS-EXPORT-002", f"`num_ctx: {asked}` is more than the model's context of {has} tokens",
            why="Beyond it a model has not been trained, and says nonsense.", fix=f"Set it to {has} at most, or leave it out.",
        )  # fmt: skip
