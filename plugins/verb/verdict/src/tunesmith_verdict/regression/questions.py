"""The built-in questions, as many in each area."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

AREAS = ("instructions", "refusals", "arithmetic", "language", "repetition")


def questions() -> list[dict[str, Any]]:
    """Each has ``area``, ``question`` and ``check``."""
    found: list[dict[str, Any]] = json.loads(Path(__file__).with_name("questions.json").read_text(encoding="utf-8"))
    return found
