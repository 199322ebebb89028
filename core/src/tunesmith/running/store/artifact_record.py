"""``artifact.json``: what an artifact is, and how it was made first. It is believed only if it is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.running.store.hashing import artifact_digest

FILE = "artifact.json"


def write_record(directory: Path, record: Mapping[str, Any]) -> None:
    (directory / FILE).write_text(json.dumps({**record, "sha256": _hash(record)}, indent=1, sort_keys=True))


def read_record(directory: Path, digest: str) -> Mapping[str, Any] | None:
    """The record; None if there is none, or it is not that of the artifact with this digest."""
    try:
        record: Mapping[str, Any] = json.loads((directory / FILE).read_text(encoding="utf-8"))
        whole = artifact_digest(record["format"], record["files"], record["refs"]) == digest
        whole = whole and _hash({name: value for name, value in record.items() if name != "sha256"}) == record["sha256"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return record if whole else None


def _hash(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
