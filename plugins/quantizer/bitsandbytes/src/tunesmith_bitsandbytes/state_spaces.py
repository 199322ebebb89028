"""What bitsandbytes can't quantize: a matrix that a model's code multiplies by itself, past the layer that holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError

TIME_STEP = "dt_proj"  # of a state space: transformers multiplies by its `weight`, which is packed bytes after quantizing
READ_PAST_THE_LAYER = ("mamba", "falcon_mamba", "jamba")  # model types of transformers 5 whose code does so


def check_state_spaces(config: Mapping[str, Any], skipped: Sequence[str]) -> None:
    """
    Raises:
        UserError: TS-QUANT-010: the model's code would multiply by packed bytes, and nobody has said that this matrix stays as it is.
    """
    kind = str(config.get("model_type") or "")
    if kind in READ_PAST_THE_LAYER and not any(TIME_STEP.endswith(name) for name in skipped):
        raise UserError(
            "TS-QUANT-010", f"bitsandbytes would pack a matrix that the code of {kind} reads itself: `{TIME_STEP}`",
            why="A layer of bitsandbytes computes with what it has packed; code that takes the layer's `weight` and multiplies by it "
            "fails.",
            fix=f"Write `llm_int8_skip_modules: [{TIME_STEP}]`: it is small, and all other matrices are quantized.",
        )  # fmt: skip
