"""TOML for files that people read and diff.

TOML has no null. A value that it can't hold is written as ``{ "$json" = "null" }``: the JSON text of the value (see `tunesmith.toml`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tunesmith.toml import ESCAPE, is_escape

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 120


def dumps(data: Mapping[str, Any]) -> str:
    """TOML text of JSON-like data. Lists of mappings at the top become ``[[arrays of tables]]``; what fits on a line stays on one."""
    blocks: list[str] = []
    _table(blocks, "", "", _encode_items(data))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _table(blocks: list[str], path: str, header: str, table: Mapping[str, Any]) -> None:
    """Append the table's own lines as one block, then its subtables: all of its mappings if one is too long for a line."""
    lines = [header] if header else []
    lists = {key for key, value in table.items() if _needs_blocks(key, value, top=not path)}
    tables = {key for key, value in table.items() if isinstance(value, Mapping) and value and not is_escape(value)}
    below = lists | (tables if any(_is_long(key, table[key]) for key in tables) else set())
    for key, value in table.items():
        if key in below:
            continue
        if isinstance(value, list) and _is_long(key, value):
            lines.append("\n".join([f"{_key(key)} = [", *(f"    {_inline(item)}," for item in value), "]"]))
        else:
            lines.append(f"{_key(key)} = {_inline(value)}")
    if lines != [header] or header.startswith("[[") or not below:  # a header alone, with tables of its own below, says nothing
        blocks.append("\n".join(lines))
    for key, value in table.items():
        if key not in below:
            continue
        name = f"{path}.{_key(key)}" if path else _key(key)
        for item in value if isinstance(value, list) else [value]:
            _table(blocks, name, f"[[{name}]]" if isinstance(value, list) else f"[{name}]", item)


def _is_long(key: str, value: Any) -> bool:
    return len(f"{_key(key)} = {_inline(value)}") > _WIDTH


def _needs_blocks(key: str, value: Any, *, top: bool) -> bool:
    """Whether a list is written as an array of tables, a block for each item."""
    if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) and not is_escape(item) for item in value):
        return False
    return top or (_is_long(key, value) and any(len(_inline(item)) > _WIDTH for item in value))


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_inline(v)}" for k, v in value.items()) + " }" if value else "{}"
    return "[" + ", ".join(map(_inline, value)) + "]"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _inline(key)


def _encode(value: Any) -> Any:
    if value is None or is_escape(value):
        return {ESCAPE: json.dumps(value)}
    if isinstance(value, Mapping):
        return _encode_items(value)
    if isinstance(value, (list, tuple)):
        return [_encode(item) for item in value]
    if isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a manifest can't hold {value!r}")


def _encode_items(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _encode(value) for key, value in table.items()}
