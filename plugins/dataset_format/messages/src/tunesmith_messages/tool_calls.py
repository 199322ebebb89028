"""Tool calls, however a row writes them: one reader for all formats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_messages.json_text import read_json

_CALL = 'Write it as {"name": "...", "arguments": {...}}.'
_ARGUMENTS = 'Write the arguments as an object: {"city": "Rome"}.'
_AS_TEXT = _CALL + " If the model shall learn to write it as it is, give the turn to the assistant (`assistant`, `gpt`)."


def read_calls(value: Any, where: str) -> list[dict[str, Any]]:
    """A call, a list of calls, or either as JSON text -> ``{"type": "function", "function": {"name", "arguments": {...}}}`` each.

    The keys stay in the row's order, those of the arguments above all: a template writes them as they come.

    Raises:
        UserError: TS-DATA-025 for what is no call, or whose arguments are neither an object nor JSON of one.
    """
    if isinstance(value, str):
        value = read_json(value, where, _AS_TEXT)
    items = value if isinstance(value, list) else [value]
    return [_call(item, where if item is value else f"{where}[{index}]") for index, item in enumerate(items)]


def _call(item: Any, where: str) -> dict[str, Any]:
    if isinstance(item, str):
        item = read_json(item, where, _CALL)
    wrapped = isinstance(item, Mapping) and item.get("function") is not None
    function = item["function"] if wrapped else item
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str) or not function["name"]:
        raise UserError("TS-DATA-025", f"`{where}` is no call of a tool", why="It does not name a function.", fix=_CALL)
    inside = f"{where}.function" if wrapped else where
    made = {key: entry for key, entry in function.items() if entry is not None}
    key = "arguments" if "arguments" in function else "parameters"
    given = {"arguments" if name == key else name: entry for name, entry in made.items()}
    given["arguments"] = _arguments(made.get(key), f"{inside}.{key}")
    if wrapped:
        return {**{name: given if name == "function" else entry for name, entry in item.items() if entry is not None}, "type": "function"}
    outside = {name: given.pop(name) for name in ("id", "type") if name in given}
    return {**outside, "type": "function", "function": given}


def _arguments(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, str) and value.strip():
        value = read_json(value, where, _ARGUMENTS)
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    if not isinstance(value, Mapping):
        raise UserError("TS-DATA-025", f"`{where}` is no object of arguments", why=f"It is {str(value)[:60]!r}.", fix=_ARGUMENTS)
    return dict(value)
