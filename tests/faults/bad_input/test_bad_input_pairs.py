"""Pairs and labels that nothing can be learnt from, and what `data inspect` says of pairs that can be used."""

from __future__ import annotations

import json

import pytest

from .conftest import rows

DPO = """\
model: file://model
steps:
  tune: {train: dpo, adapter: {lora: {r: 4}}, data: pairs.jsonl, settings: {max_steps: 2}}
"""
PAIRS = [{"prompt": f"What is {n}?", "chosen": f"It is {n}." + " Sure." * (n % 2), "rejected": "I do not know."} for n in range(12)]


def without(pair, *columns):
    return {key: value for key, value in pair.items() if key not in columns}


@pytest.mark.parametrize(("pair", "code", "says"), [
    ({**PAIRS[0], "rejected": PAIRS[0]["chosen"]}, "TS-DATA-070", "line 13: `chosen` and `rejected` are the same"),
    (without(PAIRS[0], "prompt"), "TS-DATA-024", "line 13: There is no prompt"),
    (without(PAIRS[0], "rejected"), "TS-DATA-003", "line 13 `rejected` is missing"),
    ({**PAIRS[0], "margin": -1}, "TS-DATA-073", "line 13: `margin` is -1"),
])  # fmt: skip
def test_a_pair_without_a_choice_is_told_before_anything_is_begun(project, pair, code, says) -> None:
    project.write("pairs.jsonl", rows([*PAIRS, pair]))
    project.pipeline(DPO)
    project.refuses(codes=code, says=[says, "1 of 13 rows is broken"])


def test_scores_without_a_difference_are_no_pairs(project) -> None:
    project.write("pairs.jsonl", rows([{"prompt": "Why?", "responses": ["a", "b"], "scores": [n % 2, 1]} for n in range(4)]))
    project.pipeline(DPO)
    project.refuses(codes="TS-DATA-070", says=["2 of 4 rows are broken (read as `scored-answers`)", "line 2"])


def test_pairs_are_looked_at_by_the_tokens_that_would_be_trained_on(project) -> None:
    same = {"prompt": "Why?", "chosen": "Because.", "rejected": "Because.  "}
    long = {"prompt": "Why? " * 200, "chosen": "Yes.", "rejected": "No."}
    project.write("pairs.jsonl", rows([*PAIRS, same, long]))
    project.write("new.jsonl", rows([{**PAIRS[3], "chosen": "Three."}, {**PAIRS[3], "prompt": "New?"}]))
    words = ("data", "inspect", "pairs.jsonl", "--validation", "new.jsonl")
    told = json.loads(project(*words, "--model", "./model", "--max-length", "128", "--json").out)
    found = {finding["name"]: finding for finding in told["audit"]}
    assert told["audited_by"] == "./model"
    assert {name: finding["lines"] for name, finding in found.items() if finding["warning"]} == {
        "emptied": [14], "too-long": [14], "shared-prompts": [[1, 4]], "nearly-equal-pairs": [13],
    }  # fmt: skip
    assert found["length-bias"]["of"] == 14
    shown = project(*words)
    assert (shown.status, "the rows as a whole, by characters" in shown.out) == (0, True)
    assert "!! answers that differ in case and white space alone: 1 of 14; lines 13; a warning where there is one" in shown.out
