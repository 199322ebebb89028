"""Rows for evaluation that are among those for training are found: the same, nearly the same, and in longer ones."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith_data.audit.contamination import findings
from tunesmith_data.contamination.overlap import NEAR, EvaluationRows
from tunesmith_data.contamination.plan_warning import Part, TrainedRows
from tunesmith_data.contamination.words import pieces
from tunesmith_data.shape.rows import shape_of

LONG = "the quick brown fox jumps over the lazy dog and then it sleeps for a very long time beside the old stone wall"
WORDS = LONG.split()


def row(question: str, answer: str = "yes") -> dict[str, str]:
    return {"question": question, "answer": answer}


def found(evaluation: list[dict], training: list[dict]) -> dict[int, tuple[str, int]]:
    """Line of a row for evaluation -> how it was found, and where."""
    index = EvaluationRows(enumerate(evaluation, 1))
    for line, one in enumerate(training, 1):
        index.see(line, one)
    return {one.line: (one.how, one.train_line) for one in index.matches()}


def test_the_same_words_are_the_same_row_whatever_their_case_and_stops():
    assert found([row("What is it?"), row("Who?")], [row("Else"), row("WHAT is — it", "Yes!")]) == {1: ("same", 2)}


def test_a_word_more_or_columns_in_another_order_are_a_near_duplicate():
    other = {"output": "yes", "instruction": LONG}
    assert found([row(LONG)], [row(f"{LONG} today")]) == {1: ("near", 1)}
    assert found([row(LONG)], [other]) == {1: ("near", 1)}


def test_a_question_within_a_longer_text_overlaps():
    text = " ".join(["nothing", "of", "it"] * 40)
    assert found([row(LONG, "no")], [{"text": f"{text} {LONG} {text}"}]) == {1: ("overlap", 1)}
    assert found([row("which planet is the largest one", "no")], [{"text": f"{text} Which planet is the largest one? {text}"}]) == {
        1: ("overlap", 1)
    }


def test_what_rows_have_in_common_by_chance_is_no_finding():
    training = [row(f"What is the capital of {name}?", name[::-1]) for name in ("France", "Spain", "Italy", "Poland")]
    assert found([row("What is the capital of Norway?", "Oslo")], training) == {}
    assert found([row("yes"), row("no", "maybe")], [row("yes, it is so", "no")]) == {}


def test_more_than_half_of_a_text_is_what_is_enough():
    begin, end = " ".join(WORDS[:18]), " ".join(WORDS[4:])
    asked = [row(f"{LONG} {' '.join(reversed(WORDS))} {' '.join(sorted(WORDS))}", "no")]
    assert found(asked, [{"text": begin}]) == {}
    assert found([row(LONG, "no")], [{"text": end + " once more " * 30}]) == {1: ("overlap", 1)}


def test_chinese_is_compared_by_characters():
    text = "请问世界上最高的山峰是哪一座它位于什么地方海拔有多少米"
    assert found([row(text, "珠穆朗玛峰")], [row(f"{text}呢", "珠穆朗玛峰")]) == {1: ("near", 1)}


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_near_duplicates_are_those_of_the_definition(seed):
    chance = random.Random(seed)
    texts = [[chance.choice("abcdef") for _ in range(chance.randint(3, 14))] for _ in range(12)]
    for at in range(0, 12, 2):
        texts[at + 1] = [word if chance.random() < 0.95 else "x" for word in texts[at]]
    rows = [{"text": " ".join(words)} for words in texts]
    told = found(rows[::2], rows[1::2])

    def shingles(one: dict) -> set:
        return {words[at : at + 3] for words in pieces(one) for at in range(len(words) - 2)}

    for line, one in enumerate(rows[::2], 1):
        best = max((len(shingles(one) & shingles(two)) / len(shingles(one) | shingles(two)) for two in rows[1::2]), default=0)
        same = any(pieces(one) == pieces(two) for two in rows[1::2])
        assert (told.get(line, ("",))[0] in ("same", "near")) == (same or best >= NEAR)


@pytest.fixture
def files(tmp_path: Path):
    """Writes rows into a file of that name; gives its path."""

    def write(name: str, rows: list[dict]) -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(one) + "\n" for one in rows))
        return path

    return write


def test_findings_tell_the_lines_of_both_files(files):
    training, evaluation = files("train.jsonl", [row("one"), row(LONG)]), files("eval.jsonl", [row("two"), row(LONG), row(LONG + " x")])
    same, near, overlap = findings(evaluation, training, filter="", training_filter="")
    assert (same.count, same.of, same.lines, same.warning) == (1, 3, ((2, 2),), True)
    assert (near.lines, near.warning) == (((2, 3),), True)
    assert (overlap.count, overlap.warning) == (0, False)
    assert same.what == "rows of eval.jsonl that are here, too"


def test_only_rows_that_the_filters_keep_are_compared(files):
    training = files("train.jsonl", [row("one") | {"part": "a"}, row(LONG) | {"part": "b"}])
    evaluation = files("eval.jsonl", [row("one") | {"part": "a"}, row(LONG) | {"part": "b"}])
    same, *_ = findings(evaluation, training, filter="", training_filter="part == 'a'")
    assert (same.lines, same.of) == (((1, 1),), 2)
    same, *_ = findings(evaluation, training, filter="part == 'b'", training_filter="part == 'a'")
    assert (same.lines, same.of) == ((), 1)


def part(path: Path, split: str = "", filter: str = "") -> Part:
    file = SimpleNamespace(path=path, digest=str(hash(path.read_bytes())))
    return Part(path.name, SimpleNamespace(file=file, columns=shape_of({}, filter)), split)


def asked(provider: str) -> SimpleNamespace:
    return SimpleNamespace(provider=provider, reader=f"`{provider}`", key="data")


def test_a_plan_warns_where_a_step_evaluates_on_what_an_earlier_one_trains_on(files):
    planner = SimpleNamespace(installed=lambda kind: {"objective": ["sft"], "evaluator": ["generation"]}[kind], memory={})
    training, other = files("train.jsonl", [row("one"), row(LONG)]), files("eval.jsonl", [row("two"), row(LONG)])
    trained = TrainedRows()
    assert trained.warnings([part(other)], asked("generation"), planner) == []  # before anything is trained
    assert trained.warnings([part(training, "train")], asked("sft"), planner) == []
    (warning,) = trained.warnings([part(other)], asked("generation"), planner)
    assert warning.startswith("1 of the 2 rows of eval.jsonl are among those of train.jsonl, which `sft` trains on")
    assert list(planner.memory.values()) == [[1, 2]]
    assert trained.warnings([part(training, "test")], asked("generation"), planner) == []  # the rows that were held out
    (warning,) = trained.warnings([part(training)], asked("generation"), planner)
    assert warning == "rows of train.jsonl are evaluated on that `sft` trains on"
    assert trained.warnings([part(training), part(other)], asked("generation"), planner) == []  # both are told already


def test_a_plan_warns_only_of_rows_that_its_filters_keep(files):
    planner = SimpleNamespace(installed=lambda kind: {"objective": ["sft"], "evaluator": ["generation"]}[kind], memory={})
    rows = [row("one") | {"part": "a"}, row(LONG) | {"part": "b"}]
    training, other = files("train.jsonl", rows), files("eval.jsonl", rows[1:])
    trained = TrainedRows()
    trained.warnings([part(training, filter="part == 'a'")], asked("sft"), planner)
    assert trained.warnings([part(other)], asked("generation"), planner) == []
    assert trained.warnings([part(training, filter="part == 'b'")], asked("generation"), planner) == []
    (warning,) = trained.warnings([part(training)], asked("generation"), planner)
    assert warning.startswith("1 of the 2 rows of train.jsonl are among those of train.jsonl")
    assert "inspect train.jsonl --filter 'part == '\"'\"'a'\"'\"'' --against train.jsonl)" in warning
    (warning,) = trained.warnings([part(training, filter="part == 'a'")], asked("generation"), planner)
    assert warning == "rows of train.jsonl are evaluated on that `sft` trains on"
