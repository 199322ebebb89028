"""Roles of models whose output is no language, by how transformers names their classes. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REWARD, CLASSIFY, CLASSIFY_TOKENS = "reward", "classify", "classify-tokens"
_SEQUENCES, _TOKENS = "ForSequenceClassification", "ForTokenClassification"


def role_of_model(config: Mapping[str, Any]) -> str:
    """The role of a model with this ``config.json``; empty for one that writes. One class is a score, several are labels."""
    named = [str(name) for name in config.get("architectures") or ()]
    if any(name.endswith(_TOKENS) for name in named):
        return CLASSIFY_TOKENS
    if any(name.endswith(_SEQUENCES) for name in named):
        return REWARD if len(config.get("id2label") or {"0": "", "1": ""}) == 1 else CLASSIFY
    return ""
