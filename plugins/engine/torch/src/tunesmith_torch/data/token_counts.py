"""How many tokens the sequences of a row have, and where what they share ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from tunesmith_torch.api import Group, TokenSequence
from tunesmith_torch.api.objective import LAST


def counts_of(group: Group, max_length: int) -> dict[str, Any]:
    """
    Returns:
        By sequence ``tokens``; ``trained``, those of them that a loss is computed from; ``left``, the same within `max_length` tokens;
        ``begin``, the first one with a label (None: there is none). ``common``: tokens at the beginning that all sequences share.
    """
    trained = [_trained(sequence) for sequence in group.sequences]
    return {
        "tokens": [len(sequence.tokens) for sequence in group.sequences],
        "trained": list(map(len, trained)),
        "left": [sum(place < max_length for place in places) for places in trained],
        "begin": [next((at for at, label in enumerate(sequence.labels) if label), None) for sequence in group.sequences],
        "common": sum(1 for _ in takewhile(_same, zip(*(sequence.tokens for sequence in group.sequences), strict=False))),
    }  # fmt: skip


def _trained(sequence: TokenSequence) -> set[int]:
    """Places in the sequence; that of its last token, wherever it ends, as the first."""
    return {at for at, label in enumerate(sequence.labels) if label} | {0 if place == LAST else place for place in sequence.places}


def _same(tokens: Sequence[int]) -> bool:
    return all(token == tokens[0] for token in tokens)
