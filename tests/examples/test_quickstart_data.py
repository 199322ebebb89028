"""The quickstart's claim is that a model learns facts, not sentences: so no question that it is asked was in what it learnt from."""

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "quickstart"


def rows(name):
    with open(FOLDER / f"{name}.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def words(text):
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())


def question(row):
    return " ".join(words(row["instruction"]))


def test_there_are_enough_rows():
    assert len(rows("train")) >= 240
    assert len(rows("held-out")) >= 40
    assert len(rows("ask")) == 3


@pytest.mark.parametrize("name", ["train", "held-out", "ask"])
def test_no_question_is_there_twice(name):
    twice = [text for text, count in Counter(map(question, rows(name))).items() if count > 1]
    assert twice == []


@pytest.mark.parametrize("name", ["held-out", "ask"])
def test_no_question_to_be_asked_was_learnt(name):
    learnt = {frozenset(question(row).split()) for row in rows("train")}
    assert [row["instruction"] for row in rows(name) if frozenset(question(row).split()) in learnt] == []
    if name == "ask":
        assert not {question(row) for row in rows("ask")} & {question(row) for row in rows("held-out")}


def test_every_fact_is_asked_about_in_five_to_eight_ways_and_once_more_at_the_end():
    ways = Counter(row["output"] for row in rows("train"))
    assert set(ways.values()) <= set(range(5, 9))
    assert {row["output"] for row in rows("held-out")} == set(ways)
    assert {row["output"] for row in rows("ask")} <= set(ways)


def test_answers_are_short_and_no_question_gives_its_answer_away():
    for row in rows("train") + rows("held-out") + rows("ask"):
        assert 1 <= len(row["output"].split()) <= 8
    for row in rows("held-out") + rows("ask"):
        assert f" {' '.join(words(row['output']))} " not in f" {question(row)} ", row


def test_one_question_has_one_answer():
    answers = {}
    for row in rows("train") + rows("held-out") + rows("ask"):
        answers.setdefault(question(row), set()).add(row["output"])
    assert all(len(found) == 1 for found in answers.values())
