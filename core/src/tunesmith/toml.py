"""TOML, read by the standard library.

TOML has no null. A value that it can't hold is written as ``{ "$json" = "null" }``: the JSON text of the value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.untrusted_files import open_regular

ESCAPE = "$json"


def read(path: Path) -> dict[str, Any]:
    """The file's content.

    Raises:
        OSError: it can't be read.
        ValueError: it is not TOML (or not UTF-8); the message says where.
    """
    try:
        import tomllib
    except ImportError:  # Python 3.10
        import tomli as tomllib
    try:
        with open_regular(path) as file:
            return _decode(tomllib.loads(file.read().decode("utf-8")))
    except RecursionError:
        raise ValueError("tables are nested too deep") from None


def is_escape(value: Any) -> bool:
    """Whether it stands for a value that TOML can't hold."""
    return isinstance(value, Mapping) and len(value) == 1 and ESCAPE in value


def _decode(value: Any) -> Any:
    if is_escape(value) and isinstance(value[ESCAPE], str):
        return json.loads(value[ESCAPE])
    if isinstance(value, dict):
        return {key: _decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decode(item) for item in value]
    return value
