"""Which models suit, which settings follow from rows, and what is asked in words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tunesmith.errors import UserError
from tunesmith_recommend import choice
from tunesmith_recommend.catalog.base_model import BaseModel
from tunesmith_recommend.choice.declared import Declared, declared, wrong_with
from tunesmith_recommend.choice.models import suiting
from tunesmith_recommend.choice.recommendation import GOALS, Wanted
from tunesmith_recommend.choice.rules import rules
from tunesmith_recommend.choice.settings import step_settings
from tunesmith_recommend.commands.options import seconds_of

DATA = {
    "format": "messages", "produces": ["dataset/chat"], "task": "chat", "rows": 1000, "tokens": 200_000, "characters": 800_000,
    "longest": {"p95": 400, "most": 800}, "languages": {"zh": 1.0}, "domains": {}, "media": {}, "modalities": ["text"], "labels": {},
    "duplicates": 0,
}  # fmt: skip


def model(name: str, billions: float, **more) -> BaseModel:
    told = {"languages": ("en",), "released": "2025-01", "template": "chatml", "context": 4096}
    return BaseModel(f"shelf://{name}", name, billions * 1e9, **{**told, **more})


def first(*models: BaseModel, most: float = float("inf"), **data) -> str:
    return next((one.model.family for one in suiting(models, Wanted("a.jsonl", {**DATA, **data}), most)), "")


@pytest.mark.parametrize(
    ("models", "data", "best"),
    [
        ([model("en", 70), model("zh", 1, languages=("zh", "en"))], {}, "zh"),
        ([model("first", 7, languages=("zh", "en")), model("knows", 8, languages=("en", "de", "zh"))], {}, "first"),
        ([model("small", 1), model("large", 7)], {"languages": {}}, "large"),
        ([model("old", 7, released="2023-01"), model("new", 7)], {}, "new"),
        ([model("gated", 7, gated=True, released="2026-01"), model("open", 7)], {}, "open"),
        ([model("general", 14), model("doctor", 7, domains=("medical",))], {"domains": {"medical": 0.9}}, "doctor"),
        ([model("general", 70), model("doctor", 7, domains=("medical",))], {"domains": {"medical": 0.9}}, "general"),
        ([model("general", 1), model("coder", 7, domains=("code",))], {}, "general"),
        ([model("also", 8, domains=("math", "code")), model("coder", 7, domains=("code",))], {"domains": {"code": 0.9}}, "coder"),
        ([model("embeds", 1, tasks=("embedding",)), model("chats", 7)], {"task": "embedding"}, "embeds"),
        ([model("sees", 7, modalities=("text", "image")), model("reads", 1)], {}, "reads"),
        ([model("sees", 1, modalities=("text", "image")), model("reads", 7)], {"modalities": ["text", "image"]}, "sees"),
        ([model("plain", 7, template=""), model("chats", 1)], {}, "chats"),
        ([model("plain", 7, template=""), model("chats", 1)], {"produces": ["dataset/text"]}, "plain"),
        ([model("embeds", 7, tasks=("embedding",)), model("chats", 1)], {}, "chats"),
    ],
)
def test_of_those_that_suit_one_comes_first(models, data, best):
    assert first(*models, **data) == best
    assert first(*reversed(models), **data) == best


def test_a_bound_on_size_is_kept():
    assert first(model("small", 1), model("large", 7), most=2e9) == "small"
    assert first(model("large", 7), most=2e9) == ""


VERB = SimpleNamespace(schema={"properties": {
    "num_train_epochs": {"default": 1.0}, "batch_size": {"default": 8}, "max_length": {"default": 2048}, "learning_rate": {"default": 2e-4},
    "validation_split": {"default": 0.0},
}})  # fmt: skip


def provider(name: str, **more) -> Declared:
    return Declared(SimpleNamespace(name=name), 1, rules()["provider.declared"], **more)


def values(objective=None, adapter=None, verb=VERB, **data):
    found = step_settings(
        Wanted("a.jsonl", {**DATA, **data}), verb, model("m", 1), objective or provider("imitate"), adapter or provider("tilt")
    )  # fmt: skip
    return found.values


@pytest.mark.parametrize(("rows", "epochs", "batch"), [(20, 4, 4), (500, 4, 16), (5000, 3, 16), (100_000, 2, 16), (5_000_000, 1, 16)])
def test_epochs_and_batches_follow_the_rows(rows, epochs, batch):
    found = values(rows=rows)
    assert (found["num_train_epochs"], found["batch_size"]) == (epochs, batch)


def test_few_rows_are_not_held_out():
    assert "validation_split" not in values(rows=99)
    assert values(rows=100)["validation_split"] == 0.05


def test_the_longest_row_fits_and_no_more_than_the_model_takes():
    assert values()["max_length"] == 1152
    assert values(longest={"p95": 100, "most": 9000})["max_length"] == 4096
    assert "max_length" not in values(longest={})


def test_the_objective_scales_what_the_adapter_takes_and_its_own_word_counts_before_rules():
    adapter = provider("tilt", step={"learning_rate": 3e-4})
    found = values(provider("prefer", step={"num_train_epochs": 1}, times={"learning_rate": 0.1, "warmth": 3}), adapter)
    assert (found["learning_rate"], found["num_train_epochs"]) == (3e-5, 1)


def test_a_setting_that_the_verb_has_not_is_not_set():
    assert values(verb=SimpleNamespace(schema={"properties": {"batch_size": {"default": 8}}})) == {"batch_size": 16}


def test_optimizer_steps_are_of_the_rows_that_are_trained_on():
    found = step_settings(Wanted("a.jsonl", DATA), VERB, model("m", 1), provider("imitate"), provider("tilt"))
    assert found.steps(VERB, 1000) == 240  # 950 rows, 16 at once, 4 times


SCHEMA = {
    "type": "object", "additionalProperties": False,
    "properties": {"labels": {"type": "array"}, "none": {"type": "array"}, "angle": {"type": "integer", "maximum": 90}},
}  # fmt: skip


def record(name: str, said=None, priority: int = 0):
    return SimpleNamespace(
        name=name, kind="adapter", distribution=f"acme-{name}", priority=priority, facts={} if said is None else {"recommend": said},
        schema=SCHEMA,
    )  # fmt: skip


GOOD = {"order": 5, "rule": "it is good", "source": "here"}


def names(*records, goal="quality", task="chat", tokens=1000.0):
    return [one.name for one in declared(records, goal, task, tokens)]


def test_what_says_most_of_itself_comes_first_and_priority_decides_among_the_rest():
    assert names(record("a"), record("b", priority=3), record("c", GOOD), record("d", {**GOOD, "order": 7})) == ["d", "c", "b", "a"]


def test_a_goal_a_task_and_tokens_choose_among_what_it_says():
    said = [{**GOOD, "tokens": [0, 500]}, {**GOOD, "tokens": [500], "order": 9, "goals": {"edge": 1, "speed": -1}}]
    other = record("other", {**GOOD, "order": 7})
    assert names(record("a", said), other) == ["a", "other"]
    assert names(record("a", said), other, tokens=100) == ["other", "a"]
    assert names(record("a", said), other, goal="edge") == ["other", "a"]
    assert names(record("a", said), other, goal="speed") == ["other"]
    assert names(record("a", {**GOOD, "tasks": ["tagging"]}), other) == ["other"]


def test_settings_may_be_what_the_data_have():
    one = declared([record("a", {**GOOD, "from_data": {"labels": "labels", "none": "nothing"}})], "quality", "chat", 1)[0]
    assert one.of({"labels": {"b": 1, "a": 2}}).settings == {"labels": ["a", "b"]}


@pytest.mark.parametrize(
    "said",
    [
        {}, {"order": 1}, {**GOOD, "oder": 1}, {**GOOD, "order": "1"}, [GOOD, 3], "best",
        {**GOOD, "settings": {"angel": 4}}, {**GOOD, "settings": {"angle": 91}}, [GOOD, {**GOOD, "from_data": {"angel": "labels"}}],
    ],
)  # fmt: skip
def test_what_is_no_word_of_a_recommendation_is_told_and_says_nothing(said):
    assert "is not heard" in wrong_with(record("a", said))
    assert not declared([record("a", said)], "quality", "chat", 1)[0].said


def test_each_rule_has_a_text_and_a_source_and_is_followed_somewhere():
    source = "".join(path.read_text(encoding="utf-8") for path in Path(choice.__file__).parent.glob("*.py"))
    assert all(rule.text and rule.source for rule in rules().values())
    assert [name for name in rules() if f'"{name}"' not in source and name.rpartition(".")[2] not in GOALS] == []


@pytest.mark.parametrize(("text", "seconds"), [("", 0), ("90m", 5400), ("4h", 14400), ("1.5 d", 129600), ("30s", 30)])
def test_a_budget_is_a_time(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["soon", "4", "-1h", "0h"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UserError, match="no time"):
        seconds_of(text)
