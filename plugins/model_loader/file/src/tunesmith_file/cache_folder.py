"""Where loaders keep what can be had again, and whether they may have it again."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def cache_root() -> Path:
    """`$TUNESMITH_CACHE`, else `tunesmith` in the user's cache directory; it may not exist yet."""
    chosen = os.environ.get("TUNESMITH_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunesmith"


def offline(*variables: str) -> bool:
    """Whether `$TUNESMITH_OFFLINE`, or one of these other variables, is set to something that means yes."""
    return any(os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"} for name in ("TUNESMITH_OFFLINE", *variables))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace `path` in one go, so that a reader or a killed writer never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".new")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file, sort_keys=True)
    os.replace(name, path)


def read_cached_json(path: Path) -> dict[str, Any]:
    """The object in `path`; empty when there is none or it can't be read (then it is only a cache miss)."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
