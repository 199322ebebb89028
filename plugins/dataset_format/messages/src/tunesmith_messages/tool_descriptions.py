"""Descriptions of the tools that a conversation may call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_messages.json_text import read_json

_LIST = "Write it as a list of objects, one a tool."


def read_tools(row: Mapping[str, Any]) -> dict[str, Any]:
    """``{"tools": [...]}`` from a row's `tools`, or its `functions` as OpenAI wrote them before; ``{}`` where it has none.

    A list, or one as JSON text, of objects or of their JSON texts. Their keys stay in the row's order.

    Raises:
        UserError: TS-DATA-025 for anything else.
    """
    column = next((name for name in ("tools", "functions") if row.get(name)), "")
    tools = row.get(column)
    if isinstance(tools, str):
        tools = read_json(tools, column, _LIST) if tools.strip() else None
    if not tools:
        return {}
    if isinstance(tools, list):
        tools = [read_json(tool, f"{column}[{index}]", _LIST) if isinstance(tool, str) else tool for index, tool in enumerate(tools)]
    if not isinstance(tools, list) or not all(isinstance(tool, Mapping) for tool in tools):
        raise UserError("TS-DATA-025", f"`{column}` is not a list of objects", fix=_LIST)
    return {"tools": [{"type": "function", "function": dict(tool)} if column == "functions" else dict(tool) for tool in tools]}
