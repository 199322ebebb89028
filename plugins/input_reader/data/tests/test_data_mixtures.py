"""Several data files where one belongs: planned as one, mixed in the proportion asked for, by the seed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact
from tunesmith.errors import Problems, TunesmithError, each
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import message, read_rows
from tunesmith_data.mixture import mixture_of
from tunesmith_data.settings import MixSettings
from tunesmith_data.verbs import mix

ROW = '{"question": "q", "solution": "s"}\n'
PAIR = '{"question": "q", "good": "g", "bad": "b"}\n'
YAML = "model: shelf://base\nseed: 4\nsteps:\n  tune: {{teach: echo, adapter: tilt, data: {}}}\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.jsonl").write_text(ROW * 20)
    (tmp_path / "b.jsonl").write_text(ROW * 31)
    (tmp_path / "pairs.jsonl").write_text(PAIR * 3)


def test_files_in_a_list_are_read_as_one(planner, files):
    plan = planner(YAML.format("[a.jsonl, b.jsonl]"))
    mixed, tune = plan.steps[-2:]
    assert (mixed.name, mixed.format, mixed.settings, mixed.seed) == ("data:mix", "dataset/chat", {"weights": []}, 4)
    assert [source.step for source in mixed.inputs.values()] == ["data:a", "data:b"]
    assert tune.inputs["data"].step == "data:mix"


def test_the_plan_says_how_many_rows_of_each_the_weights_take(planner, files):
    plan = planner(YAML.format("{a.jsonl: 0.8, b.jsonl: 0.2}"))
    (reason,) = [d.reason for d in plan.decisions if d.step == "data:mix"]
    assert "20 of the 20 rows of a.jsonl, 5 of the 31 rows of b.jsonl" in reason
    assert plan.steps[-2].settings == {"weights": [0.8, 0.2]}


def test_two_readers_of_one_mixture_share_it(planner, files):
    plan = planner(YAML.format("[a.jsonl, b.jsonl]") + "  two: {teach: echo, adapter: tilt, data: [a.jsonl, b.jsonl]}\n")
    assert [step.name for step in plan.steps].count("data:mix") == 1


def test_a_list_of_one_is_that_file(planner, files):
    assert planner(YAML.format("[a.jsonl]")).steps[-1].inputs["data"].step == "data:a"


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        ("[{pth: a.jsonl}]", "TS-SPEC-005", "says `pth` of a file, which is no key of a file. Did you mean `path`?"),
        ("{pth: a.jsonl, columns: {question: q}}", "TS-SPEC-005", "Did you mean `path`?"),
        ("[a.jsonl, {path: b.jsonl, wieght: 1}]", "TS-SPEC-005", "says `wieght` of b.jsonl, which is no key of a file. Did you"),
        ("[a.jsonl, a.jsonl]", "TS-SPEC-005", "names a file twice"), ("[]", "TS-SPEC-005", "should name files"),
        ("{a.jsonl: 0, b.jsonl: 1}", "TS-SPEC-005", "a weight above 0"), ("{a.jsonl: much}", "TS-SPEC-005", "a weight above 0"),
        ("{path: a.jsonl, columns: [question]}", "TS-SPEC-005", "which column is which"),
        ("{path: a.jsonl, columns: {question: x, solution: x}}", "TS-SPEC-005", "which column is which"),
        ("[{path: a.jsonl, weight: 2}, b.jsonl]", "TS-SPEC-005", "a weight to each file"),
        ("[{path: a.jsonl, rows: 2}]", "TS-SPEC-005", "no key of a file. Known: columns, filter, path, split, test_size, weight."),
        ("{path: a.jsonl, columns: {question: qestion}}", "TS-DATA-027", "no column `qestion`"),
        ("[a.jsonl, c.jsonl]", "TS-DATA-001", "c.jsonl"), ("[a.jsonl, 3]", "TS-SPEC-005", "should name files"),
    ],
)  # fmt: skip
def test_what_can_not_be_mixed_is_told(planner, files, data, code, words):
    with pytest.raises(Problems) as raised:
        planner(YAML.format(data))
    assert any(problem.code == code and words in problem.what for problem in raised.value.problems)


@pytest.mark.parametrize("data", ["{path: a.jsonl, colums: {question: x}}", "[{path: a.jsonl, colums: {question: x}}]"])
def test_a_misspelt_key_of_a_file_is_named_and_is_the_only_problem(planner, files, data):
    with pytest.raises(TunesmithError) as raised:
        planner(YAML.format(data))
    (problem,) = each(raised.value)
    assert problem.code == "TS-SPEC-005"
    assert "says `colums` of a.jsonl" in problem.what
    assert "Did you mean `columns`?" in problem.what


@pytest.mark.parametrize("data", ["3", "{a.jsonl: much}", "[]"])
def test_an_input_that_can_not_be_read_is_not_called_missing_too(planner, files, data):
    with pytest.raises(TunesmithError) as raised:
        planner(YAML.format(data))
    assert [problem.code for problem in each(raised.value)] == ["TS-SPEC-005"]


def test_columns_under_other_names_are_read_and_are_part_of_what_is_done(planner, tmp_path):
    (tmp_path / "other.jsonl").write_text('{"frage": "q", "solution": "s"}\n' * 3)
    step = planner(YAML.format("{path: other.jsonl, columns: {question: frage}}")).steps[-2]
    assert step.settings == {"format": "dataset/chat", "columns": {"question": "frage"}}


def test_files_of_a_mixture_have_columns_and_weights_of_their_own(planner, files, tmp_path):
    (tmp_path / "other.jsonl").write_text('{"frage": "q", "solution": "s"}\n' * 30)
    plan = planner(YAML.format("[{path: a.jsonl, weight: 1}, {path: other.jsonl, columns: {question: frage}, weight: 3}]"))
    mix = next(step for step in plan.steps if step.verb.name == "mix")
    assert mix.settings == {"weights": [1.0, 3.0]}
    assert [step.settings.get("columns") for step in plan.steps if step.verb.name == "prepare"] == [None, {"question": "frage"}]


@pytest.mark.parametrize("value", [["a"], {"a": 2.5}])
def test_a_mixture_of_one_is_one(value):
    assert mixture_of(value).paths == ("a",)


def mixed(tmp_path: Path, counts, weights=(), seed=0) -> list[str]:
    """What the rows say, in their order."""
    inputs = {}
    for number, count in enumerate(counts):
        place = tmp_path / ("rows" if not number else f"rows.{number + 1}")
        place.mkdir(exist_ok=True)
        rows = ({"messages": [message("user", f"{'abc'[number]}{at}")]} for at in range(count))
        (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        inputs[place.name] = Artifact("dataset/chat", place)
    output = tmp_path / "output"
    output.mkdir(exist_ok=True)
    mix.run(WorkerStep(name="it", output=output, work=tmp_path, settings=MixSettings(list(weights)), inputs=inputs, seed=seed))
    return [row["messages"][0]["content"][0]["text"] for row in read_rows(output)]


def test_without_weights_all_rows_are_there_spread_evenly(tmp_path):
    found = mixed(tmp_path, [4, 8])
    assert sorted(found) == sorted([f"a{n}" for n in range(4)] + [f"b{n}" for n in range(8)])
    assert "".join(text[0] for text in found) == "bab" * 4


def test_weights_take_as_many_rows_as_they_can_and_none_twice(tmp_path):
    found = mixed(tmp_path, [100, 100, 100], [0.6, 0.3, 0.1])
    assert [sum(text.startswith(name) for text in found) for name in "abc"] == [100, 50, 17]
    assert len(set(found)) == len(found)


def test_which_rows_are_taken_is_a_matter_of_the_seed_alone(tmp_path):
    first = mixed(tmp_path, [50, 50], [0.9, 0.1], seed=1)
    assert mixed(tmp_path, [50, 50], [0.9, 0.1], seed=1) == first
    assert mixed(tmp_path, [50, 50], [0.9, 0.1], seed=2) != first


def test_a_small_share_is_at_least_a_row():
    assert mix.shares([10, 10], [1000.0, 1.0]) == [10, 1]
