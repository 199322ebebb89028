"""The first row of a data file: what form its rows have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def first_row(data: Any, folder: Path) -> dict[str, Any]:
    """Of what stands under `data` of a step, where its file is here and JSON; else empty."""
    data = data[0] if isinstance(data, list) else data
    path = folder / str(data["path"] if isinstance(data, dict) else data)
    if not path.is_file() or path.suffix not in (".jsonl", ".json"):
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        found = json.loads(text) if text.lstrip().startswith("[") else json.loads(text.splitlines()[0])
    except (ValueError, IndexError):
        return {}
    row = found[0] if isinstance(found, list) and found else found
    return row if isinstance(row, dict) else {}
