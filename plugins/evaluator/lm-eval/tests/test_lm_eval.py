"""What lm-eval gives is looked at before it is believed. Without lm-eval itself: that is in test_lm_eval_engine.py."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_data.api import message
from tunesmith_lm_eval.documents import documents
from tunesmith_lm_eval.results import checked_metrics, interval_metrics, row_samples
from tunesmith_lm_eval.settings import LmEvalSettings
from tunesmith_sdk.testing.datasets import dataset

MODEL = SimpleNamespace(tok_encode=str.split, max_length=8, max_gen_toks=4)


def task(kind: str, *metrics: str) -> SimpleNamespace:
    return SimpleNamespace(OUTPUT_TYPE=kind, config=SimpleNamespace(metric_list=[{"metric": name} for name in metrics]))


def choice(at: int, value: float, question: str = "which one ?") -> dict:
    """A line of lm-eval's for a question with two choices, the first one right."""
    return {
        "doc_id": at, "doc": {"question": question}, "target": 0, "filter": "none", "metrics": ["acc"], "acc": value,
        "arguments": [(question, " yes"), (question, " no")], "filtered_resps": [(-1.0 - (1 - value), False), (-1.5, False)], "resps": [],
    }  # fmt: skip


def answer(at: int, text: str, filter: str = "none", value: float = 1.0) -> dict:
    return {
        "doc_id": at, "doc": {"question": "what ?"}, "target": "so", "filter": filter, "metrics": ["exact_match"], "exact_match": value,
        "arguments": [("what ?", {"until": ["\n"]})], "filtered_resps": [text], "resps": [[text]],
    }  # fmt: skip


def test_a_row_tells_what_was_chosen_and_expected():
    right, wrong = row_samples(task("multiple_choice", "acc"), MODEL, [choice(0, 1.0), choice(1, 0.0)])
    assert (right["answer"], right["expected"], right["right"]) == ("yes", "yes", True)
    assert (wrong["answer"], wrong["right"]) == ("no", False)


def test_a_question_that_lm_eval_cuts_has_no_score_and_is_left_out_of_the_mean():
    lines = [choice(0, 1.0), choice(1, 0.0), choice(2, 0.0, "a question of nine words and that is long")]
    told = row_samples(task("multiple_choice", "acc"), MODEL, lines)
    assert [one.get("not_scored") for one in told] == [None, None, "truncated"]
    metrics = checked_metrics(task("multiple_choice", "acc"), {"acc,none": 1 / 3, "acc_stderr,none": "N/A"}, told)
    assert metrics == {"acc": 0.5}
    assert set(interval_metrics(metrics, told)) == {"acc/low", "acc/high"}


@pytest.mark.parametrize("target", [-100, 2, "", "perhaps", ["perhaps", 7], []])
def test_a_question_whose_right_choice_is_none_of_its_choices_has_failed_and_is_not_wrong(target):
    (told,) = row_samples(task("multiple_choice", "acc"), MODEL, [choice(0, 0.0) | {"target": target}])
    assert told["not_scored"] == "failed"


@pytest.mark.parametrize("target", [1, "no", ["perhaps", "yes"]])
def test_what_is_right_may_be_told_by_number_or_by_name(target):
    (told,) = row_samples(task("multiple_choice", "acc"), MODEL, [choice(0, 0.0) | {"target": target}])
    assert told["right"] is False


def test_an_answer_that_its_limit_has_ended_has_no_score():
    told = row_samples(task("generate_until", "exact_match"), MODEL, [answer(0, "one two three"), answer(1, "one two three four")])
    assert [one.get("not_scored") for one in told] == [None, "truncated"]


def test_several_filters_are_several_metrics_of_one_row():
    lines = [answer(at, "7", filter, float(filter == "flexible")) for filter in ("strict", "flexible") for at in (0, 1)]
    told = row_samples(task("generate_until", "exact_match"), MODEL, lines)
    assert len(told) == 2
    assert (told[0]["exact_match"], told[0]["exact_match@flexible"], told[0]["right"]) == (0.0, 1.0, False)


@pytest.mark.parametrize(
    "results", [{}, {"acc,none": float("nan")}, {"acc,none": float("inf")}, {"acc_stderr,none": 0.1}, {"acc,none": [], "other,none": 1.0}]
)
def test_a_metric_that_has_failed_is_refused(results):
    with pytest.raises(TunesmithError, match="TS-EVAL-009"):
        checked_metrics(task("multiple_choice", "acc"), results, row_samples(task("multiple_choice", "acc"), MODEL, [choice(0, 1.0)]))


def test_a_row_whose_metric_is_no_number_has_failed():
    (told,) = row_samples(task("multiple_choice", "acc"), MODEL, [choice(0, 1.0) | {"acc": float("nan")}])
    assert told["not_scored"] == "failed"


def test_a_figure_of_all_rows_together_is_refused_where_some_were_cut():
    lines = [answer(0, "one"), answer(1, "one two three four")]
    told = row_samples(task("generate_until", "exact_match"), MODEL, lines)
    with pytest.raises(TunesmithError, match="TS-EVAL-009"):
        checked_metrics(task("generate_until"), {"bleu,none": 31.0}, told)
    assert checked_metrics(task("generate_until"), {"bleu,none": 31.0}, told[:1]) == {"bleu": 31.0}


def test_rows_become_documents_with_their_columns(tmp_path):
    chat = [{"messages": [message("system", "s"), message("user", f"q{at}"), message("assistant", "a")]} for at in range(3)]
    examples, asked = documents(dataset(tmp_path / "chat", chat), 1)
    assert examples == [{"question": "q0", "answer": "a"}]
    assert [one["question"] for one in asked] == ["q1", "q2"]
    prompts = [{"messages": [message("user", "q")], "columns": {"answerKey": "B"}}]
    assert documents(dataset(tmp_path / "prompt", prompts, "dataset/prompt"), 0)[1] == [{"question": "q", "answerKey": "B"}]
    choices = {"question": "q", "choices": ["x", "y"], "right": 1}
    assert documents(dataset(tmp_path / "choices", [choices], "dataset/multiple-choice"), 0)[1][0] == {**choices, "answer": 1}
    with pytest.raises(UserError, match="TS-DATA-040"):
        documents(dataset(tmp_path / "few", chat), 3)


@pytest.mark.parametrize("given", [{"dataset_path": "x"}, {"process_docs": "x"}, {"num_fewshot": 3}, 7])
def test_a_task_brings_no_data_and_no_code(given):
    with pytest.raises(UserError, match="TS-EVAL-008"):
        LmEvalSettings(task=given)
