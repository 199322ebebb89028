"""Descriptions of the tools that a conversation may call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError


def read_tools(row: Mapping[str, Any]) -> dict[str, Any]:
    """``{"tools": [...]}`` from a row's `tools` (a list, or a list as JSON text); ``{}`` where it has none.

    Raises:
        UserError: TS-DATA-025 when the text is not a JSON list of objects.
    """
    tools = row.get("tools")
    if isinstance(tools, str) and tools.strip():
        try:
            tools = json.loads(tools)
        except ValueError as error:
            what = "`tools` is a text but not JSON"
            raise UserError("TS-DATA-025", what, why=str(error), fix="Write it as a list of objects.") from error
    if not tools or isinstance(tools, str):
        return {}
    if not isinstance(tools, list) or not all(isinstance(tool, Mapping) for tool in tools):
        raise UserError("TS-DATA-025", "`tools` is not a list of objects", fix="Write it as a list of objects, one a tool.")
    return {"tools": [dict(tool) for tool in tools]}
