"""The rules of thumb that are no plugin's own: `rules.json`, each with its text, its source and its figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Rule:
    """
    Args:
        id: ``model.size``; of a plugin's own rule ``<distribution>:<kind>.<provider>``.
        text: a clause that holds.
        figures: what it counts with.
    """

    id: str
    text: str
    source: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.figures[name]


@cache
def rules() -> Mapping[str, Rule]:
    """All of them, by their ids."""
    return read_rules(Path(__file__).parent / "rules.json")


def read_rules(file: Path) -> Mapping[str, Rule]:
    """Those of a file, by their ids."""
    found = json.loads(file.read_text(encoding="utf-8"))
    own = ("text", "source")
    return {
        name: Rule(name, told["text"], told["source"], {key: value for key, value in told.items() if key not in own})
        for name, told in found.items()
    }
