"""What is asked for by name is recommended, with the settings that it says of itself; where it can't be planned nothing is."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import UserError
from tunesmith_cli.api import named_cards
from tunesmith_recommend.api import Wishes, recommended

ROW = '{"messages": [{"role": "user", "content": "Where is my order?"}, {"role": "assistant", "content": "It is on its way."}]}\n'
SMALL = "hf://Qwen/Qwen3-0.6B"


@pytest.fixture
def asked(registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("train.jsonl").write_text(ROW * 3)
    cards = named_cards(Namespace(on="A10", cards=None), registry)

    def of(**wishes: Any):
        return recommended(Path("train.jsonl"), Wishes(cards=cards, model=SMALL, **wishes))[0]

    return of


def test_a_model_and_providers_that_are_asked_for_are_taken_and_the_reason_is_that(asked):
    found = asked(named={"adapter": "dora", "quantizer": "gptq", "inference_backend": "vllm"})
    steps = found.pipeline["steps"]
    assert (found.pipeline["model"], steps["tune"]["adapter"], steps["small"]["quantize"]) == (SMALL, "dora", "gptq")
    assert steps["api"] == {"serve": "vllm", "from": "small"}
    reasons = {(choice.topic, choice.rule.id) for choice in found.choices}
    assert {(topic, "provider.named") for topic in ("model", "adapter", "quantizer", "engine")} <= reasons


def test_an_adapter_that_is_asked_for_brings_its_own_rate(asked):
    rates = [asked(named={"adapter": name}).pipeline["steps"]["tune"]["settings"]["learning_rate"] for name in ("lora", "full")]
    assert rates[1] < rates[0] / 5


def test_settings_that_are_asked_for_are_those_of_the_step_or_of_whoever_has_them(asked):
    found = asked(named={"adapter": "lora", "quantizer": "gptq"}, settings={"num_train_epochs": 2, "r": 32, "bits": 8, "max_steps": 1})
    steps = found.pipeline["steps"]
    assert (steps["tune"]["settings"]["num_train_epochs"], steps["tune"]["adapter"]) == (2, {"lora": {"r": 32}})
    assert steps["small"]["quantize"] == {"gptq": {"bits": 8}}
    assert found.prediction.steps == 1
    assert {"num_train_epochs", "max_steps"} == {choice.topic for choice in found.choices if choice.reason == "it was asked for"} - {
        "adapter",
        "model",
        "quantizer",
        "engine",
    }


def test_what_can_not_learn_from_the_rows_is_refused_though_it_is_asked_for(asked):
    with pytest.raises(UserError, match="TS-RECOMMEND-001"):
        asked(named={"objective": "dpo"})
