"""How much fits: the pipeline's blocks of keys and values, and the longest text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_models import BYTES, ModelShape
from tunesmith_models.serving import max_positions

BLOCK = 32  # tokens of a block of keys and values, on processors
SCALES = 8.0  # bytes for a head's keys, and for its values, of a token in 8 bits: scale and zero point


def token_bytes(shape: ModelShape, dtype: str) -> float:
    """Bytes that a token's keys and values take."""
    scales = 2 * shape.layers * shape.kv_heads * SCALES if dtype == "int8" else 0.0
    return shape.kv_bytes(1, BYTES[dtype]) + scales


def blocks(config: Mapping[str, Any], size: int, kv_cache_gib: float, dtype: str, length: int) -> int:
    """How many blocks the cache has.

    Args:
        size: bytes of the model's files.
        length: longest text, in tokens.

    Raises:
        UserError: TS-SERVE-005 if not even one answer fits.
    """
    shape = ModelShape.from_config(config, size)
    if shape is None:
        raise UserError(
            "TS-SERVE-003", f"This backend can't serve models of type `{config.get('model_type')}`.",
            why="it does not know how large their keys and values are",
            fix="Serve it with another inference backend (`tunesmith plugin list --kind inference_backend`).",
        )  # fmt: skip
    each = token_bytes(shape, dtype)
    found = int(kv_cache_gib * 2**30 / (each * BLOCK))
    if found * BLOCK < length:
        raise UserError(
            "TS-SERVE-005", f"A `kv_cache_gib` of {kv_cache_gib:g} GiB holds {found * BLOCK} tokens, fewer than one answer of {length}.",
            fix=f"Set `kv_cache_gib` to {(length + BLOCK) * each / 2**30:.2g} or more, or `max_model_len` to {found * BLOCK} or less.",
        )  # fmt: skip
    return found


def longest(config: Mapping[str, Any], max_model_len: int) -> int:
    """Most tokens of prompt and answer together.

    Raises:
        UserError: TS-SERVE-005 where neither says.
    """
    positions = max_positions(config)
    if not (length := min(max_model_len or positions, positions or max_model_len)):
        raise UserError("TS-SERVE-005", "The model does not say how long its context is.", fix="Set `max_model_len`.")
    return length
