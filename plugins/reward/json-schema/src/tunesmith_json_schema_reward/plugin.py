"""What this plugin brings: the reward `json-schema`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_json_schema_reward.settings import JsonSchemaSettings


@hookimpl
def reward() -> Provider:
    return Provider(
        "json-schema", "1 for a completion that is JSON and fits a schema", "tunesmith_json_schema_reward.reward:JsonSchema",
        settings=JsonSchemaSettings,
    )  # fmt: skip
