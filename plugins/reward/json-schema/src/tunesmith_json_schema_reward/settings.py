"""Settings of the reward `json-schema`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import setting


@dataclass(frozen=True)
class JsonSchemaSettings:
    schema: dict[str, Any] = setting({}, "the JSON Schema; empty: the row has it", examples=({"type": "object", "required": ["a"]},))
    column: str = setting("schema", "column of the row with the schema, where `schema` is empty", effect={"with": {"schema": {}}})
    fenced: bool = setting(True, "whether the JSON may stand in a code fence, with text around it")
    json_alone: float = setting(0.0, "what JSON gets that does not fit the schema", ge=0, lt=1)
