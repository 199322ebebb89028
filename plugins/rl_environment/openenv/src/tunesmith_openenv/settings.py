"""Settings of the environment `openenv`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import setting


@dataclass(frozen=True)
class OpenEnvSettings:
    base_url: str = setting("", "address of a running server, such as http://localhost:8000")
    app: str = setting("", "in place of an address: module:attribute of an application, which is then served in the environment's process")
    action: dict[str, Any] = setting(
        {"message": "{answer}"}, "what an answer becomes as an action: its fields, in whose texts {answer} stands for the answer"
    )
    text: str = setting("", "field of an observation that the model reads; empty: all of it as JSON")
    columns: list[str] = setting([], "columns of the row that the environment's `reset` is given, beside the seed")
    tools: bool = setting(False, "tell the model of the server's MCP tools; calls in its answers are made, and other answers are actions")
