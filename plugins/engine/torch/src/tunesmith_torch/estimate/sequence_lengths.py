"""How long sequences are, and how many share a forward pass, before there are any. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

CHARACTERS_PER_TOKEN = 4.0
TEMPLATE_TOKENS = 30  # what a chat template adds to a row


def tokens_of(
    settings: Mapping[str, Any], data: Mapping[str, Any], sequences: float, shares: float = 1.0, *, pieces: bool = False,
    completion: float = 0.0,
) -> tuple[float, float]:  # fmt: skip
    """Mean tokens of a sequence, and tokens of the largest micro-batch.

    Args:
        sequences: of a row.
        shares: into which a batch is divided.
        pieces: the rows are documents, of which long ones go on in several sequences (see `Asks.pieces`).
        completion: the rows are prompts, and the model writes so many tokens for each of their sequences (see `Asks.sampling`).
    """
    budget, longest = float(settings["max_tokens_per_microbatch"]), float(settings["max_length"])
    rows, characters = float(data.get("rows", 0)), float(data.get("characters", 0))
    length = longest
    if data.get("length"):
        length = float(data["length"])
    elif rows and characters and completion:
        length = characters / rows / CHARACTERS_PER_TOKEN + TEMPLATE_TOKENS + completion
    elif rows and characters:
        length = characters / rows / sequences / CHARACTERS_PER_TOKEN + (0 if pieces else TEMPLATE_TOKENS)
    if pieces and settings["truncation"] == "auto" and length > longest:
        each = ceil((length - 1) / (longest - 1))  # a piece begins with the last token of the one before it
        rows, length = rows * each, (length + each - 1) / each
    length = min(longest, length)
    groups = ceil(rows_of_batch(settings, {"rows": rows}) / shares)
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
