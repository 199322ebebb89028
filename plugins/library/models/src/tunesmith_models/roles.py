"""Roles of models whose output is no language, by how transformers names their classes. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REWARD, CLASSIFY, CLASSIFY_TOKENS = "reward", "classify", "classify-tokens"
_SEQUENCES, _TOKENS = "ForSequenceClassification", "ForTokenClassification"


def role_of_model(config: Mapping[str, Any]) -> str:
    """The role of a model with this ``config.json``: what the engine here has noted in it, or what transformers' class says, where one
    class is a score and several are labels; empty for a model that writes."""
    if isinstance(noted := config.get("tunesmith"), Mapping):
        return str(noted.get("role", ""))
    named = [str(name) for name in config.get("architectures") or ()]
    if any(name.endswith(_TOKENS) for name in named):
        return CLASSIFY_TOKENS
    if any(name.endswith(_SEQUENCES) for name in named):
        return REWARD if len(config.get("id2label") or {"0": "", "1": ""}) == 1 else CLASSIFY
    return ""
