"""Ten sentences in two languages: what is understood of each, and the pipeline that comes of it, which was planned (`sentences.json`).

Write it anew after a word or a rule changed, and read what is different: run this file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith_ask.pipeline import answer
from tunesmith_ask.rules.sentence import read
from tunesmith_ask.vocabulary import Vocabulary

FILE = Path(__file__).with_name("sentences.json")
CASES: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
QUICK = (3, 6)  # planned each time: an English and a Chinese one


@pytest.fixture(scope="session")
def known(registry) -> Vocabulary:
    return Vocabulary.of(registry)


def understood(sentence: str, known: Vocabulary) -> dict[str, Any]:
    return {key: value for key, value in read(sentence, known, Path()).to_json().items() if value}


def planned(sentence: str, known: Vocabulary, registry: Any) -> dict[str, Any]:
    """The pipeline, which has been planned for the cards that the sentence names."""
    return dict(answer(read(sentence, known, Path()), registry).found.pipeline)


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_what_is_understood(case: dict[str, Any], known, folder):
    assert understood(case["sentence"], known) == case["understood"]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=str(n), marks=() if n in QUICK else pytest.mark.slow) for n, case in enumerate(CASES)]
)
def test_it_becomes_a_pipeline_that_plans(case: dict[str, Any], known, registry, folder):
    assert planned(case["sentence"], known, registry) == case["pipeline"]


def test_there_are_ten_in_two_languages_and_nothing_of_them_is_left_over():
    chinese = [case for case in CASES if not case["sentence"].isascii()]
    assert (len(CASES), len(chinese)) == (10, 5)
    assert not any("unknown" in case["understood"] for case in CASES)


@pytest.mark.parametrize(
    ("sentence", "unknown"),
    [
        ("train a frobnicated model on chats.jsonl", ["frobnicated"]),
        ("QLoRA, but without frobs", ["but", "without", "frobs"]),
        ("用外星语训练", ["外星语"]),
        ("with zorba-tuning on chats.jsonl", ["zorba-tuning"]),
    ],
)
def test_what_is_not_understood_is_said_in_the_sentences_own_words(sentence: str, unknown: list[str], known, folder):
    found = read(sentence, known, Path())
    assert list(found.unknown) == unknown
    assert found.named.get("adapter") in (None, "qlora")


@pytest.mark.parametrize(
    ("sentence", "field", "value"),
    [
        ("on 2xA100-80GB", "on", "2xA100-80GB"),
        ("on A100 80GB x4", "on", "4xA100-80GB"),
        ("四台H200", "on", "4xH200"),
        ("sixteen H100s", "on", "16xH100"),
        ("二十四小时以内", "budget", 86400.0),
        ("in half an hour", "budget", 1800.0),
        ("within 90 minutes", "budget", 5400.0),
        ("in one and a half hours", "budget", 5400.0),
        ("for two and a half epochs", "settings", {"num_train_epochs": 2.5}),
        ("两天内", "budget", 172800.0),
        ("r=8 and bits=8", "settings", {"r": 8, "bits": 8}),
        ("learning_rate: 1e-4, warmup ratio 0.1", "settings", {"learning_rate": 1e-4, "warmup_ratio": 0.1}),
        ("lora alpha 64 and rank 16", "settings", {"lora_alpha": 64, "r": 16}),
        ("a prompt for the reward of a file", "named", {}),
        ("with the adapter prefix", "named", {"adapter": "prefix"}),
        ("hf://Qwen/Qwen3-8B on A10", "model", "hf://Qwen/Qwen3-8B"),
        ("data/../rows.csv", "data", "data/../rows.csv"),
    ],
)  # fmt: skip
def test_a_phrase_is_found(sentence: str, field: str, value: Any, known, folder):
    assert getattr(read(sentence, known, Path()), field) == value


@pytest.mark.parametrize(
    ("sentence", "refused", "adapter"),
    [
        ("QLoRA, without lora", ("adapter.lora",), "qlora"),
        ("no lora please, train on chats.jsonl", ("adapter.lora",), None),
        ("don't use lora or qlora, and dora", ("adapter.qlora", "adapter.lora"), "dora"),
        ("用chats.jsonl训练,不要用qlora", ("adapter.qlora",), None),
        ("用dora,不要lora和qlora", ("adapter.qlora", "adapter.lora"), "dora"),
    ],
)
def test_what_is_refused_is_no_wish_and_is_not_left_over(sentence: str, refused, adapter, known, folder):
    found = read(sentence, known, Path())
    assert (found.refused, found.named.get("adapter"), found.unknown) == (refused, adapter, ())


def test_what_is_refused_is_not_recommended(known, registry, folder):
    found = answer(read("no lora please: chats.jsonl on an A10", known, Path()), registry).found
    assert found.pipeline["steps"]["tune"]["adapter"] != "lora"
    assert "`adapter.lora` was left out, as you asked" in found.remarks


def test_a_card_that_has_two_sizes_of_memory_may_be_either(known, folder):
    assert read("on two A100", known, Path()).either == ("2xA100-40GB", "2xA100-80GB")
    assert read("on two A100-80GB", known, Path()).either == read("on an A10", known, Path()).either == ()


PIECES = [
    *("十", "百", "两", "张", "零", "天", "小时", "不要", "学习率", "合同.csv", "“full”", ",", "。"),
    *("A10", "8x", "lora", "without", "qlora", "epochs", "3", "1e-4", "1e999", "rank", "=", "a.jsonl", ".jsonl", "hf://x", "://", "`"),
    *("prompt", "adapter", "ß", "İ", "\x00", "(", "[", "\\", "*", "+", "0", "-1", " "),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_whatever_is_written_is_read_and_names_what_is_there(known, folder, pieces: list[str]):
    found = read("".join(pieces), known, folder)
    assert all((kind, name) in known.providers for kind, name in found.named.items())
    assert set(found.settings) <= set(known.settings)


if __name__ == "__main__":
    import os
    import sys
    import tempfile

    sys.path.insert(0, str(Path(__file__).parent))
    import conftest

    from tunesmith.config import load_config
    from tunesmith.plugins.registry import load_registry

    here = load_registry(load_config())
    with tempfile.TemporaryDirectory() as made:
        conftest.folder.__wrapped__(Path(made), type("Patch", (), {"chdir": staticmethod(os.chdir)}))
        words = Vocabulary.of(here)
        told = [{"sentence": c["sentence"], "understood": understood(c["sentence"], words),
                 "pipeline": planned(c["sentence"], words, here)} for c in CASES]  # fmt: skip
    FILE.write_text("[\n " + ",\n ".join(json.dumps(case, ensure_ascii=False) for case in told) + "\n]\n", encoding="utf-8")
