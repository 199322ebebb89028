"""1 for a completion that is JSON and fits a schema, by jsonschema; less for JSON alone. What a schema refers to is not fetched."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_json_schema_reward.settings import JsonSchemaSettings
from tunesmith_rewards.api import column

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


class JsonSchema:
    """
    Raises:
        UserError: TS-REWARD-002 where the schema is none.
    """

    def __init__(self, settings: JsonSchemaSettings) -> None:
        self.settings = settings
        self._validator = _validator(settings.schema) if settings.schema else None

    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float | None:
        validator = self._validator or _validator(column(row, self.settings.column))
        fences = _FENCE.findall(completion) if self.settings.fenced else []
        try:
            value = json.loads(fences[-1] if fences else completion, parse_constant=_refused)
        except (ValueError, RecursionError):
            return 0.0
        return 1.0 if validator.is_valid(value) else self.settings.json_alone


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _validator(schema: Any) -> Any:
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry

    try:
        schema = json.loads(schema) if isinstance(schema, str) else schema
        cls = validator_for(schema)
        cls.check_schema(schema)
    except (SchemaError, ValueError, TypeError) as error:
        why = getattr(error, "message", str(error))
        raise UserError("TS-REWARD-002", "the schema that completions shall fit is none", why=why, fix="See json-schema.org.") from error
    return cls(schema, registry=Registry())  # an empty registry: nothing is fetched
