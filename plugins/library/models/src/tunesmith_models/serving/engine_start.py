"""What every engine that loads a Hugging Face checkpoint is told of it when it is started."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tunesmith.contracts import Step
from tunesmith_models.dtypes import AUTO, compute_type, stored_type


def engine_dtype(
    asked: str, config: Mapping[str, Any], step: Step, *, instead: Mapping[str, tuple[str, str]] = MappingProxyType({})
) -> str:
    """The dtype to compute in, which the step records as a decision; ``auto``, unrecorded, where neither setting nor checkpoint says one.

    Args:
        asked: by the setting.
        config: the checkpoint's.
        instead: for a dtype that the engine does not compute in, another and the reason.
    """
    stored = stored_type(config)
    if not stored and asked == AUTO:
        return asked
    dtype, reason = compute_type(asked, stored, step.placement)
    dtype, reason = instead.get(dtype, (dtype, reason))
    step.decide(f"dtype {dtype}", reason)
    return dtype


def max_positions(config: Mapping[str, Any]) -> int:
    """The longest text that the model allows, in tokens; 0: its config does not say."""
    return int((config.get("text_config") or config).get("max_position_embeddings") or 0)
