"""How a model is used that gives something else than words: in a file beside an adapter, in the configuration of a whole model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE, _CONFIG = "usage.json", "config.json"
KEY, ROLE = "tunesmith", "role"  #: in a model's configuration


def write_usage(directory: Path, role: str, usage: Mapping[str, Any]) -> None:
    """Add it to what lies in `directory`, an adapter or a model; nothing for a model without a role."""
    if not role:
        return
    said = {ROLE: role, **usage}
    if (config := directory / _CONFIG).exists():
        said = {**json.loads(config.read_text(encoding="utf-8")), KEY: said}
    (config if config.exists() else directory / FILE).write_text(json.dumps(said, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_usage(directory: Path) -> tuple[str, dict[str, Any]]:
    """Role and usage; of a model that came from elsewhere neither is said."""
    if (config := directory / _CONFIG).exists():
        said = json.loads(config.read_text(encoding="utf-8")).get(KEY) or {}
    else:
        said = json.loads((directory / FILE).read_text(encoding="utf-8")) if (directory / FILE).exists() else {}
    return str(said.get(ROLE, "")), {name: value for name, value in said.items() if name != ROLE}
