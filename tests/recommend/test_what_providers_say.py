"""What the plugins here say of themselves for recommendations is understood, and names settings that are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tunesmith.config import load_config
from tunesmith.contracts.settings import problems
from tunesmith.plugins.records import ProviderRecord
from tunesmith.plugins.registry import load_registry
from tunesmith_recommend.choice.declared import FACT, wrong_with
from tunesmith_recommend.choice.rules import rules
from tunesmith_recommend.choice.verbs import training_verbs

REGISTRY = load_registry(load_config())


def saying() -> Iterator[tuple[ProviderRecord, dict[str, Any]]]:
    for plugin in REGISTRY.plugins:
        for record in plugin.providers:
            said = record.facts.get(FACT, ())
            for one in said if isinstance(said, (list, tuple)) else [said]:
                yield record, one


SAYING = [pytest.param(record, one, id=f"{record.kind}-{record.name}") for record, one in saying()]
(TRAIN,) = training_verbs(REGISTRY)


@pytest.mark.parametrize(("record", "said"), SAYING)
def test_it_is_understood_and_names_settings_that_are_there(record: ProviderRecord, said: dict[str, Any]):
    assert wrong_with(record) == ""
    assert list(problems(record.schema, dict(said.get("settings", {})))) == []
    assert set(said.get("from_data", {})) <= set(record.schema["properties"])
    assert list(problems(TRAIN.schema, dict(said.get("step", {})))) == []
    assert set(said.get("times", {})) <= set(TRAIN.schema["properties"])


def test_each_kind_that_is_chosen_among_has_some_that_say_when():
    assert {param.values[0].kind for param in SAYING} >= {"adapter", "objective", "quantizer", "exporter"}


def test_rules_of_settings_name_settings_of_training():
    named = {rule["setting"] for rule in rules().values() if "setting" in rule.figures}
    assert named
    assert named <= set(TRAIN.schema["properties"])
