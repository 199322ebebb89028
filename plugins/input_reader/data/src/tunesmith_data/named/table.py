"""Tables of named datasets: where each is to be had, and what its columns are.

A table is JSON, ``{"datasets": [{"name": "alpaca", "addresses": ["hf://datasets/tatsu-lab/alpaca"], "format": "alpaca", "columns": {},
"holds": {"instruction": "text", ...}, "task": "instruction", "languages": ["en"], "licence": "cc-by-nc-4.0", "rows": 52002}, ...]}``. What
is not known is ``"unknown"``, or null of `rows`. A dataset of the project's own file comes before one of a plugin's, and that before ours.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.input_reader import InstalledProvider
from tunesmith.contracts.settings import problems
from tunesmith.errors import UserError

OWN = "datasets.json"  #: beside the pipeline
_OURS = Path(__file__).with_name("datasets.json")
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_TEXTS: dict[str, Any] = {"type": "object", "additionalProperties": _TEXT}
ENTRY: dict[str, Any] = {
    "type": "object", "additionalProperties": False,
    "required": ["name", "addresses", "task", "languages", "format", "holds", "columns", "licence", "rows"],
    "properties": {
        "name": {"type": "string", "pattern": r"^[a-z0-9][a-z0-9.-]*$"},
        "addresses": {"type": "array", "items": {"type": "string", "pattern": "://"}, "minItems": 1},
        "languages": {"type": "array", "items": _TEXT, "minItems": 1}, "task": _TEXT, "format": _TEXT, "licence": _TEXT,
        "holds": _TEXTS, "columns": _TEXTS, "rows": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
        "gated": {"type": "boolean"},
    },
}  # fmt: skip
_TABLE = {
    "type": "object", "required": ["datasets"], "additionalProperties": False,
    "properties": {"datasets": {"type": "array", "items": ENTRY}},
}  # fmt: skip


@dataclass(frozen=True)
class NamedDataset:
    """
    Args:
        addresses: of dataset sources, the first that can be reached is taken.
        task: what it is for, in a word or two; `languages`: codes, or ``multilingual``.
        format: dataset format that reads it once its `columns` have the names that it wants.
        columns: name that the format wants -> name that the column has.
        holds: columns that are known -> what they hold.
        licence: as its hub calls it; ``unknown`` where that is not known.
        rows: of the split that is meant; None where that is not known.
        gated: whether a hub is known to ask for consent first.
        brought_by: whose table it is from.
    """

    name: str
    addresses: tuple[str, ...]
    task: str
    languages: tuple[str, ...]
    format: str
    columns: Mapping[str, str]
    holds: Mapping[str, str] = field(default_factory=dict)
    licence: str = "unknown"
    rows: int | None = None
    gated: bool = False
    brought_by: str = ""


def read_table(path: Path, brought_by: str) -> list[NamedDataset]:
    """
    Raises:
        UserError: TS-DATA-092 when it can't be read, or is no table.
    """
    fix = "docs/named-datasets.md shows a table."
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError("TS-DATA-092", f"{path} can't be read as a table of datasets: {error}", fix=fix) from None
    if wrong := next((f"`{place}` {sentence}" for place, sentence in problems(_TABLE, found)), ""):
        raise UserError("TS-DATA-092", f"{path} is no table of datasets: {wrong}", fix=fix)
    lists = ("addresses", "languages")
    return [NamedDataset(**{**entry, **{name: tuple(entry[name]) for name in lists}}, brought_by=brought_by) for entry in found["datasets"]]


def named_datasets(installed: Iterable[InstalledProvider], base: Path) -> dict[str, NamedDataset]:
    """All that have a name here, by it.

    Args:
        installed: dataset sources, whose plugins may bring tables: the fact `datasets` is ``package:file``.
        base: folder of the pipeline.

    Raises:
        UserError: see `read_table`.
    """
    tables = [(_OURS, "tunesmith-data")]
    for record in installed:
        package, _, file = str(record.facts.get("datasets", "")).partition(":")
        found = importlib.util.find_spec(package) if package and file else None
        if found and found.submodule_search_locations:
            tables.append((Path(found.submodule_search_locations[0]) / file, record.distribution))
    if (base / OWN).is_file():
        tables.append((base / OWN, OWN))
    return {one.name: one for path, whose in tables for one in read_table(path, whose)}
