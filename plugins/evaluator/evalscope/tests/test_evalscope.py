"""What EvalScope gives is looked at before it is believed. Without EvalScope itself: that is in test_evalscope_engine.py."""

from __future__ import annotations

import json

import pytest

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_data.api import message
from tunesmith_evalscope.benchmarks import benchmark_of
from tunesmith_evalscope.records import LETTERS, records, write_records
from tunesmith_evalscope.results import Asked, checked_metrics, mend_lines, row_samples
from tunesmith_evalscope.settings import EvalScopeSettings
from tunesmith_sdk.testing.datasets import dataset

NAME = "general_mcq"


class Run:
    """A folder as EvalScope leaves it, of questions whose right answer is A."""

    def __init__(self, folder):
        self.folder, self.asked = folder, []

    def row(self, parsed="A", *, stop="stop", error=None, status="success", value=None, about=None, review=True):
        at = len(self.asked)
        self.asked.append(Asked("default", at, [{"role": "user", "content": f"question {at}"}], "A"))
        output = {"choices": [{"stop_reason": stop}], "error": error}
        score = {
            "value": {"accuracy": float(parsed == "A")} if value is None else value, "status": status, "extracted_prediction": parsed,
            "prediction": f"ANSWER: {parsed}", "metadata": about or {}, "main_score_name": "accuracy",
        }  # fmt: skip
        self._write("predictions", {"index": at, "model_output": output})
        if review:
            self._write("reviews", {"index": at, "sample_score": {"score": score}})

    def report(self, score, aggregation="mean", name="accuracy"):
        metric = {"score": score, "identity": {"name": name, "aggregation": aggregation}}
        (self.folder / "reports" / "model").mkdir(parents=True, exist_ok=True)
        (self.folder / "reports" / "model" / f"{NAME}.json").write_text(json.dumps({"metrics": [metric]}))

    def _write(self, part, line):
        path = self.folder / part / "model" / f"{NAME}_default.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a") as lines:
            lines.write(json.dumps(line) + "\n")

    def samples(self):
        return row_samples(self.asked, self.folder, NAME)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_right_and_wrong_rows_make_the_mean_that_the_report_has(run):
    run.row("A")
    run.row("B")
    run.report(0.5)
    samples = run.samples()
    metrics = checked_metrics(run.folder, NAME, samples)
    assert [sample["right"] for sample in samples] == [True, False]
    assert metrics["accuracy"] == 0.5
    assert {"accuracy/low", "accuracy/high"} < set(metrics)
    assert "main" not in samples[0]


def test_what_evalscope_takes_for_wrong_without_an_answer_is_not_scored(run):
    run.row("A")
    run.row("B", stop="max_tokens")
    run.row("")
    run.row("", stop="model_length")
    run.row("", error="HTTP 400")
    run.row(review=False)
    run.asked.append(Asked("default", 99, [{"role": "user", "content": "lost"}], "A"))  # its request failed, and EvalScope went on
    run.report(1 / 6)
    samples = run.samples()
    told = [sample.get("not_scored", "scored") for sample in samples]
    assert told == ["scored", "truncated", "unparsed", "failed", "failed", "failed", "failed"]
    assert checked_metrics(run.folder, NAME, samples)["accuracy"] == 1.0


@pytest.mark.parametrize("row", [
    {"about": {"metric_errors": {"BLEU": "LookupError: Resource 'punkt_tab' not found."}}}, {"about": {"accuracy": "error: no such thing"}},
    {"status": "degraded"}, {"value": {}}, {"value": {"accuracy": float("nan")}},
])  # fmt: skip
def test_a_metric_that_has_failed_is_refused_though_the_report_says_success(run, row):
    run.row("A")
    run.row("A", **row)
    run.report(0.5)
    with pytest.raises(TunesmithError, match="TS-EVAL-009"):
        checked_metrics(run.folder, NAME, run.samples())


def test_rows_with_unlike_metrics_are_refused(run):
    run.row("A")
    run.row("A", value={"accuracy": 1.0, "f1": 0.5})
    run.report(1.0)
    with pytest.raises(TunesmithError, match="TS-EVAL-009"):
        checked_metrics(run.folder, NAME, run.samples())


def test_a_figure_of_all_rows_together_is_refused_where_some_have_no_score(run):
    run.row("A")
    run.row("B")
    run.report(0.31, "corpus", "f1_macro")
    assert checked_metrics(run.folder, NAME, run.samples())["f1_macro@corpus"] == 0.31
    run.row("A", stop="max_tokens")
    with pytest.raises(TunesmithError, match="TS-EVAL-009"):
        checked_metrics(run.folder, NAME, run.samples())


def test_a_line_that_a_kill_has_torn_is_dropped_and_its_row_asked_again(run):
    run.row("A")
    run.row("B")
    path = run.folder / "predictions" / "model" / f"{NAME}_default.jsonl"
    path.write_text(path.read_text()[:-20])
    mend_lines(run.folder)
    assert [json.loads(line)["index"] for line in path.read_text().splitlines()] == [0]
    assert [sample.get("not_scored") for sample in run.samples()] == [None, "failed"]


def test_rows_become_what_the_benchmark_reads(tmp_path):
    choices = [{"question": f"q{at}", "choices": ["x", "y", "z"], "right": at} for at in range(3)]
    examples, asked = records(dataset(tmp_path / "mcq", choices, "dataset/multiple-choice"), 1, NAME)
    assert examples == [{"question": "q0", "A": "x", "B": "y", "C": "z", "answer": "A"}]
    assert [one["answer"] for one in asked] == ["B", "C"]
    talk = [{"messages": [message("system", "s"), message("user", "q"), message("assistant", "a")]}]
    (asked,) = records(dataset(tmp_path / "chat", talk), 0, "general_qa")[1]
    assert asked == {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}], "answer": "a"}
    assert records(dataset(tmp_path / "own", talk), 0, "gsm8k")[1] == [{"question": "q", "answer": "a"}]


def test_a_question_with_more_choices_than_evalscope_asks_about_is_refused(tmp_path):
    many = [{"question": "q", "choices": [str(at) for at in range(len(LETTERS) + 1)], "right": 10}]
    with pytest.raises(UserError, match="TS-EVAL-012"):
        records(dataset(tmp_path / "many", many, "dataset/multiple-choice"), 0, NAME)
    with pytest.raises(UserError, match="TS-DATA-040"):
        records(dataset(tmp_path / "few", many, "dataset/multiple-choice"), 1, NAME)


def test_the_folder_serves_both_of_evalscopes_readers(tmp_path):
    write_records(tmp_path / "rows", {"test": [{"question": "q"}], "dev": []}, ["default", "main"])
    names = sorted(path.name for path in (tmp_path / "rows").iterdir())
    assert names == ["README.md", "default_dev.jsonl", "default_test.jsonl", "dev.jsonl", "test.jsonl"]
    (_, head, _) = (tmp_path / "rows" / "README.md").read_text().split("---\n")
    assert [one["config_name"] for one in json.loads(head)["configs"]] == ["default", "main"]


@pytest.mark.parametrize(("given", "format"), [({}, "dataset/prompt"), ({"num_fewshot": 2}, "dataset/chat")])
def test_rows_that_say_nothing_of_right_or_have_no_form_for_examples_are_refused(given, format):
    with pytest.raises(UserError, match="TS-EVAL-012"):
        benchmark_of(EvalScopeSettings(**given), format)
