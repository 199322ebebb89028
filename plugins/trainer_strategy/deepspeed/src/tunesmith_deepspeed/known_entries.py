"""Entries of DeepSpeed's JSON that it knows, `known_entries.json`: of others it says nothing, or fails when training begins.

Standard library and contracts only: the plan reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tunesmith.spelling import near

FILE = Path(__file__).with_suffix(".json")
ZERO = "zero_optimization"


def unknown_entries(config: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each entry of `config` that DeepSpeed does not know."""
    known = _known()
    yield from _of(config, known["entries"], "", "it would be passed over")
    if isinstance(zero := config.get(ZERO), Mapping):
        yield from _of(zero, known[ZERO], f"{ZERO}.", "it would fail when training begins")


def _of(given: Mapping[str, Any], known: list[str], place: str, then: str) -> Iterator[str]:
    for name in given:
        if name not in known:
            meant = " or ".join(f"`{place}{other}`" for other in near(name, known))
            offer = f"; did you mean {meant}?" if meant else ""
            yield f"DeepSpeed {_known()['deepspeed']} knows no entry `{place}{name}` of its JSON (`config`): {then}{offer}"


@cache
def _known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
