"""The reward `json-schema` with the real jsonschema."""

from __future__ import annotations

import pytest

from tunesmith.errors import TunesmithError
from tunesmith_json_schema_reward.reward import JsonSchema
from tunesmith_json_schema_reward.settings import JsonSchemaSettings

SCHEMA = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["age"]}


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ('{"age": 3}', 1.0),
        ('Sure:\n```json\n{"age": 3}\n```\nDone.', 1.0),
        ('{"age": -3}', 0.25),
        ('{"age": NaN}', 0.0),
        ('{"age": 3', 0.0),
        ("[" * 100_000, 0.0),
        ("", 0.0),
    ],
)
def test_json_that_fits_gets_1_and_other_json_what_was_set(completion: str, value: float):
    assert JsonSchema(JsonSchemaSettings(schema=SCHEMA, json_alone=0.25)).score("p", completion, {}) == value


def test_the_schema_may_stand_in_the_row_as_json_or_as_text():
    reward = JsonSchema(JsonSchemaSettings(fenced=False))
    assert reward.score("p", '{"age": 3}', {"schema": SCHEMA}) == 1.0
    assert reward.score("p", "3", {"schema": '{"type": "integer"}'}) == 1.0
    assert reward.score("p", "```\n3\n```", {"schema": '{"type": "integer"}'}) == 0.0
    with pytest.raises(TunesmithError, match="TS-REWARD-004"):
        reward.score("p", "3", {})


def test_what_is_no_schema_is_refused_when_it_is_made():
    with pytest.raises(TunesmithError, match="TS-REWARD-002"):
        JsonSchema(JsonSchemaSettings(schema={"type": "whole"}))


def test_references_are_not_fetched():
    with pytest.raises(Exception, match="https://example"):
        JsonSchema(JsonSchemaSettings(schema={"$ref": "https://example.com/schema"})).score("p", "3", {})
