"""lm-evaluation-harness itself, in its environment, by real runs."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import tunesmith as ts

pytestmark = [pytest.mark.slow, pytest.mark.isolated, pytest.mark.timeout(1800)]
WORDS = ["Paris", "a lazy dog", "the quick brown fox", "7", "0123456789", "its manifest", "nobody at all"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, chance = tmp_path_factory.mktemp("rows"), random.Random(5)
    told = []
    for number in range(40):
        choices = chance.sample(WORDS, chance.choice([2, 4, 5]))
        told.append({"question": f"What is {number} {chance.choice(WORDS)}?", "choices": choices, "answer": chance.randrange(len(choices))})
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    letters = [
        {"prompt": row["question"], "question": row["question"], "answerKey": "ABCDE"[row["answer"]],
         "choices": {"text": row["choices"], "label": list("ABCDE"[: len(row["choices"])])}}
        for row in told
    ]  # fmt: skip
    (folder / "arc.jsonl").write_text("".join(json.dumps(row) + "\n" for row in letters))
    return folder


def test_choices_score_as_ours_a_task_of_its_own_reads_our_file_and_too_long_questions_give_no_result(tmp_path, tiny_model, rows):
    steps = {
        "ours": {"evaluate": {"multiple-choice": {"num_fewshot": 3}}, "from": "model", "data": "questions.jsonl"},
        "theirs": {"evaluate": {"lm-eval": {"num_fewshot": 3}}, "from": "model", "data": "questions.jsonl"},
        "arc": {"evaluate": {"lm-eval": {"task": "arc_easy", "num_fewshot": 1}}, "from": "model", "data": "arc.jsonl"},
        "cut": {"evaluate": {"lm-eval": {"max_length": 16}}, "from": "model", "data": "questions.jsonl"},
    }
    model = f"file://{tiny_model(initializer_range=0.2)}"
    outcome = ts.Pipeline(model=model, steps=steps, base=rows, home=tmp_path).run()
    done = outcome.steps
    assert done["ours"].metrics["accuracy"] == done["theirs"].metrics["acc"]
    assert done["ours"].metrics["accuracy/low"] == pytest.approx(done["theirs"].metrics["acc/low"])
    lines = [
        [json.loads(line) for line in (done[name].artifact.path / "samples.jsonl").read_text().splitlines()] for name in ("ours", "theirs")
    ]
    assert [line["right"] for line in lines[0]] == [line["right"] for line in lines[1]]
    for ours, theirs in zip(*lines, strict=True):
        assert ours["log_probs"] == pytest.approx(theirs["log_probs"], abs=1e-3)
    assert done["arc"].metrics["scored"] == 39
    assert {"acc", "acc_norm", "acc/low"} <= set(done["arc"].metrics)
    assert done["cut"].error is not None
    assert done["cut"].error.code == "TS-EVAL-001"
