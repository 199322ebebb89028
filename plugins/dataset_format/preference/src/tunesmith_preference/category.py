"""What kind of comparison a pair is, where a row says it; ``subset`` is RewardBench's name of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMES = ("category", "subset")
CATEGORY = {name: {"anyOf": [{"type": "string"}, {"type": "null"}]} for name in NAMES}


def category(row: Mapping[str, Any]) -> dict[str, str]:
    """``{"category": ...}``; nothing where the row has none."""
    found = next((row[name] for name in NAMES if row.get(name)), "")
    return {"category": found} if found else {}
