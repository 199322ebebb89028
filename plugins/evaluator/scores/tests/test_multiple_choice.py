"""Held against transformers' log-probabilities; against lm-evaluation-harness in test_multiple_choice_lm_eval.py."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith.contracts import Artifact, TunesmithError, UserError
from tunesmith_data.api import RowSchema
from tunesmith_scores.multiple_choice import evaluator
from tunesmith_scores.multiple_choice.batch_scores import FILE
from tunesmith_scores.multiple_choice.evaluator import MultipleChoiceAccuracy
from tunesmith_scores.multiple_choice.prompts import prompts
from tunesmith_scores.multiple_choice.rows import FORMAT, ROW, MultipleChoice
from tunesmith_scores.multiple_choice.settings import MultipleChoiceSettings
from tunesmith_sdk.testing.datasets import dataset

ROWS = [
    {"question": "What is the capital of France?", "choices": ["Paris", "a lazy dog", "Rome"], "right": 0},
    {"question": "Who jumps?", "choices": ["the quick brown fox", "nobody"], "right": 0},
    {"question": "3 + 4 = ?", "choices": ["7", "8", "9", "12"], "right": 1},
]
SCHEMA = RowSchema(ROW)


def convert(row):
    assert list(SCHEMA.problems(row)) == []
    return MultipleChoice().convert(row)


def evaluate(model, step, rows=ROWS, **settings):
    return MultipleChoiceAccuracy(MultipleChoiceSettings(**settings)).evaluate(model, dataset(step.work / "rows", rows, FORMAT), step)


@pytest.fixture(scope="module")
def model(tiny_model):
    return Artifact("model/hf", tiny_model(initializer_range=0.2))


@torch.no_grad()
def by_transformers(artifact, text, answer):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(artifact.path), AutoTokenizer.from_pretrained(artifact.path)
    ids = torch.tensor([tokenizer(f"{text} {answer}", add_special_tokens=False)["input_ids"]])
    start = len(tokenizer(text, add_special_tokens=False)["input_ids"])
    told = model(ids).logits[0, start - 1 : -1].log_softmax(-1)
    return float(told.gather(1, ids[0, start:, None]).sum())


@pytest.mark.parametrize("answers", ["letters", "texts"])
def test_scores_are_the_log_probabilities_of_transformers(model, local_step, answers):
    found = evaluate(model, local_step(), answers=answers, num_fewshot=1, description="Choose.\n\n")

    assert [sample["question"] for sample in found.samples] == [one.text for one in prompts(ROWS, MultipleChoiceSettings(
        answers=answers, num_fewshot=1, description="Choose.\n\n"))]  # fmt: skip
    for sample, row in zip(found.samples, ROWS[1:], strict=True):
        said = row["choices"] if answers == "texts" else "ABCD"[: len(row["choices"])]
        expected = [by_transformers(model, sample["question"], one) for one in said]
        assert sample["log_probs"] == pytest.approx(expected, abs=1e-4)
        assert sample["answer"] == said[expected.index(max(expected))]
        per_character = [score / len(one) for score, one in zip(expected, said, strict=True)]
        assert sample["right_norm"] == (per_character.index(max(per_character)) == row["right"])


def test_batches_change_nothing(model, local_step):
    one, other = evaluate(model, local_step()), evaluate(model, local_step(), max_tokens_per_microbatch=1)
    for a, b in zip(one.samples, other.samples, strict=True):
        assert a["log_probs"] == pytest.approx(b["log_probs"], abs=1e-4)


def test_a_killed_step_computes_only_the_batches_that_are_missing_and_ends_with_the_same_numbers(model, local_step, monkeypatch):
    whole = evaluate(model, local_step(), max_tokens_per_microbatch=1)
    step, computed, scores = local_step(), [], evaluator._scores
    rows, judge = dataset(step.work / "rows", ROWS, FORMAT), MultipleChoiceAccuracy(MultipleChoiceSettings(max_tokens_per_microbatch=1))

    def counted(model, group, *more):
        computed.append(group)
        if len(computed) == 3:
            raise KeyboardInterrupt  # the process ends before the last batch
        return scores(model, group, *more)

    monkeypatch.setattr(evaluator, "_scores", counted)
    with pytest.raises(KeyboardInterrupt):
        judge.evaluate(model, rows, step)
    kept = step.work / FILE
    kept.write_text(kept.read_text() + '{"batch": "torn')
    found = judge.evaluate(model, rows, step)
    assert len(computed) == 4
    assert found == whole
    assert not kept.exists()


def test_examples_stand_before_each_question():
    first, second = prompts(ROWS, MultipleChoiceSettings(num_fewshot=1, cue="答案："))
    example = "What is the capital of France?\nA. Paris\nB. a lazy dog\nC. Rome\n答案： A\n\n"
    assert first.text == example + "Who jumps?\nA. the quick brown fox\nB. nobody\n答案："
    assert second.text.startswith(example + "3 + 4")
    assert prompts(ROWS, MultipleChoiceSettings(answers="texts"))[1].text == "Question: Who jumps?\nAnswer:"


def test_a_question_that_is_too_long_is_truncated_and_not_wrong(model, local_step):
    rows = [*ROWS, {"question": "fox " * 300, "choices": ["a", "b"], "right": 0}]

    found = evaluate(model, local_step(), rows, max_not_scored=0.3)

    whole = evaluate(model, local_step())
    assert found.metrics["accuracy"] == whole.metrics["accuracy"]
    assert [found.metrics[name] for name in ("scored", "failed", "truncated", "unparsed")] == [3, 0, 1, 0]
    assert found.samples[-1]["not_scored"] == "truncated"
    with pytest.raises(TunesmithError, match="TS-EVAL-001") as caught:
        evaluate(model, local_step(), rows)
    assert "1 of 4" in caught.value.what


def test_numbers_that_are_none_are_failures(tiny_model, local_step, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    shutil.copytree(tiny_model(), broken)
    tensors = load_file(broken / "model.safetensors")
    save_file(tensors | {"lm_head.weight": tensors["lm_head.weight"] * math.nan}, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(TunesmithError, match="3 of 3 questions"):
        evaluate(Artifact("model/hf", broken), local_step(), max_not_scored=1.0)


def test_only_examples_are_no_questions(model, local_step):
    with pytest.raises(UserError, match="TS-DATA-040"):
        evaluate(model, local_step(), num_fewshot=3)


@pytest.mark.parametrize(("row", "choices", "right"), [
    ({"choices": ["a", "b", "c"], "answer": 2}, ["a", "b", "c"], 2),
    ({"choices": ["a", "b"], "answer": "B"}, ["a", "b"], 1),
    ({"choices": ["yes", "no"], "answer": "no"}, ["yes", "no"], 1),
    ({"choices": ["x", "y", "z"], "answer": "1"}, ["x", "y", "z"], 1),
    ({"A": "3", "B": 4, "C": None, "D": "6", "answer": "D"}, ["3", "4", "6"], 2),
    ({"choices": {"text": ["oxygen", "iron"], "label": ["1", "2"]}, "answer": "2"}, ["oxygen", "iron"], 1),
])  # fmt: skip
def test_rows_of_published_sets_are_read(row, choices, right):
    assert convert({"question": "What?", **row}) == {"question": "What?", "choices": choices, "right": right}


@pytest.mark.parametrize(("row", "code"), [
    ({"question": "What?", "choices": ["a", "b"], "answer": 2}, "TS-DATA-084"),
    ({"question": "What?", "choices": ["a", "b"], "answer": "C"}, "TS-DATA-084"),
    ({"question": "What?", "choices": {"text": ["a", "b", "c"], "label": ["A", "B"]}, "answer": "A"}, "TS-DATA-084"),
    ({"question": " ", "choices": ["a", "b"], "answer": 0}, "TS-DATA-020"),
    ({"question": "What?", "choices": ["a", " "], "answer": 0}, "TS-DATA-020"),
])  # fmt: skip
def test_rows_without_a_question_or_a_right_choice_are_refused(row, code):
    with pytest.raises(UserError, match=code):
        convert(row)
