"""How long sequences are, and how many share a forward pass, before there are any. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

CHARACTERS_PER_TOKEN = 4.0
TEMPLATE_TOKENS = 30  # what a chat template adds to a row


def tokens_of(settings: Mapping[str, Any], data: Mapping[str, Any], sequences: float, shares: float = 1.0) -> tuple[float, float]:
    """Mean tokens of a sequence, and tokens of the largest micro-batch.

    Args:
        sequences: of a row.
        shares: into which a batch is divided.
    """
    budget, longest = float(settings["max_tokens_per_microbatch"]), float(settings["max_length"])
    rows, characters = float(data.get("rows", 0)), float(data.get("characters", 0))
    length = longest
    if data.get("length"):
        length = min(longest, float(data["length"]))
    elif rows and characters:
        length = min(longest, characters / rows / sequences / CHARACTERS_PER_TOKEN + TEMPLATE_TOKENS)
    groups = ceil(rows_of_batch(settings, data) / shares)
    fitting = max(1.0, budget // (length * sequences))  # whole rows
    return length, min(fitting, groups) * length * sequences


def rows_of_batch(settings: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    batch = float(settings["batch_size"])
    return min(batch, float(data.get("rows", 0)) or batch)


def savings(settings: Mapping[str, Any], row: float, tokens: float) -> tuple[Mapping[str, Any], ...]:
    """A smaller micro-batch, which costs least, down to a row; then gradient checkpointing."""
    found: list[Mapping[str, Any]] = []
    if tokens > row:
        found.append({"max_tokens_per_microbatch": int(row)})
    if not settings["gradient_checkpointing"]:
        found.append({"gradient_checkpointing": True})
    return tuple(found)
