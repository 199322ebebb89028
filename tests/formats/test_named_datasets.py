"""Named datasets: every row of the table is complete, and its columns are read by the format that it names, tried on made-up rows."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tunesmith.config import load_config
from tunesmith.plugins.registry import load_registry
from tunesmith_data.api import row_schema
from tunesmith_data.formats.resemblance import best
from tunesmith_data.named.table import NamedDataset, named_datasets
from tunesmith_data.shape.rows import renamed

ROOT = Path(__file__).parents[2]
_ASKED = {"role": "user", "content": "What is 2 + 2?"}
_TALK = {"from": "human", "value": "What is 2 + 2?"}
_PNG = "data:image/png;base64,iVBORw0KGgo="

#: what a column holds -> a value like it
VALUES: dict[str, Any] = {
    "text": "a text", "other text": "another text", "asked text": "What is 2 + 2?", "number": 0.5,
    "integer": 1, "boolean": True, "letter": "B",
    "texts": ["a text", "another"], "integers": [0, 1], "booleans": [True, False],
    "turns": [_ASKED, {"role": "assistant", "content": "4"}],
    "asked": [_ASKED, {"role": "assistant", "content": "4"}], "asked badly": [_ASKED, {"role": "assistant", "content": "5"}],
    "question turn": [_ASKED], "answer turn": [{"role": "assistant", "content": "4"}],
    "other answer turn": [{"role": "assistant", "content": "5"}],
    "talk": [_TALK, {"from": "gpt", "value": "4"}], "talk asked": [_TALK],
    "said": {"from": "gpt", "value": "4"}, "other said": {"from": "gpt", "value": "5"},
    "transcript": "\n\nHuman: What is 2 + 2?\n\nAssistant: 4", "other transcript": "\n\nHuman: What is 2 + 2?\n\nAssistant: 5",
    "tools": json.dumps([{"name": "add", "description": "adds", "parameters": {"type": "object", "properties": {}}}]),
    "marked steps": "What is 2 + 2? Step 1: two and two ки\nStep 2: are 4 ки",
    "judged steps": "What is 2 + 2? Step 1: two and two +\nStep 2: are 4 +",
    "answers": {"text": ["a text"], "answer_start": [3]},
    "lettered choices": {"text": ["one", "two", "three"], "label": ["A", "B", "C"]},
    "en and fr": {"en": "yes", "fr": "oui"}, "de and en": {"de": "ja", "en": "yes"},
    "picture": {"url": _PNG}, "pictures": [{"url": _PNG}],
    "turns with a picture": [{"role": "user", "content": "<image>What is it?"}, {"role": "assistant", "content": "A cat."}],
    "talk with a picture": [{"from": "human", "value": "<image>What is it?"}, {"from": "gpt", "value": "A cat."}],
}  # fmt: skip
TABLE = named_datasets((), ROOT)
_ADDRESS = re.compile(r"(?:hf|modelscope)://datasets/[\w.-]+/[\w.-]+(?::[\w.-]+(?:/[\w.-]+)?|(?:/[\w.-]+)+)?")


@pytest.fixture(scope="module")
def formats(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    return load_registry(load_config(home, home=home)).providers("dataset_format")


def test_there_are_many_and_each_place_is_there_once():
    assert len(TABLE) >= 150
    addresses = [address for one in TABLE.values() for address in one.addresses]
    assert len(addresses) == len(set(addresses))
    assert {language for one in TABLE.values() for language in one.languages} >= {"en", "zh", "multilingual"}


@pytest.mark.parametrize("one", TABLE.values(), ids=TABLE)
def test_a_dataset_is_told_in_full_and_its_columns_are_read_by_its_format(one: NamedDataset, formats):
    assert all(_ADDRESS.fullmatch(address) for address in one.addresses)
    assert {column.partition(".")[0].partition("[")[0] for column in one.columns.values()} <= set(one.holds)
    row = renamed({name: VALUES[held] for name, held in one.holds.items()}, one.columns)
    record = best(list(formats.values()), [row])
    assert record is not None, row
    assert record.name == one.format
    assert not list(row_schema(record).problems(row))
    module, _, cls = record.target.partition(":")
    made = getattr(importlib.import_module(module), cls)
    settings = record.settings.partition(":") if record.settings else None
    format = made(getattr(importlib.import_module(settings[0]), settings[2])()) if settings else made()
    assert format.convert(row)


def test_every_value_is_one_that_a_dataset_holds():
    assert {held for one in TABLE.values() for held in one.holds.values()} == set(VALUES)
