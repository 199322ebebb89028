"""Small JSON files that remember what can be found out again. One that was damaged is as good as none: it carries its own hash."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_note(path: Path, value: Any) -> None:
    """Replace the note at `path` in one go, so that neither a reader nor a killed writer ever sees half of it.

    Args:
        value: anything that JSON can hold.

    Raises:
        OSError: when it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        draft.write_text(json.dumps({"note": value, "sha256": _hash(value)}), encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def read_note(path: Path) -> Any:
    """What `write_note` wrote; None if there is no such file, or it is not what was written."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found["note"] if found["sha256"] == _hash(found["note"]) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
