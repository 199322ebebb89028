"""A part of a file: planned as a step, and of its rows the same ones for every step, with none in both parts."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import Artifact
from tunesmith.errors import Problems, TunesmithError, UserError, each
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import message, read_rows
from tunesmith_data.settings import SplitSettings
from tunesmith_data.verbs import split
from tunesmith_data.verbs.split import asked, held_out, share_of

YAML = "model: shelf://base\nsteps:\n  tune: {{teach: echo, adapter: tilt, data: {}}}\n"
ROWS = [{"question": f"q{number}", "solution": "s"} for number in range(20)]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "one.jsonl").write_text(json.dumps(ROWS[0]))
    return path


def test_a_part_of_a_file_is_a_step_after_its_rows_are_prepared(planner, file):
    plan = planner(YAML.format("{path: a.jsonl, split: train, test_size: 0.2}"))
    prepared, part, tune = plan.steps[-3:]
    assert (part.name, part.verb.name, part.settings) == ("data:a:train", "split", {"part": "train", "test_size": 0.2})
    assert [source.step for source in part.inputs.values()] == [prepared.name]
    assert tune.inputs["data"].step == part.name
    (reason,) = [decision.reason for decision in plan.decisions if decision.step == part.name]
    assert "about 16" in reason


def test_both_parts_of_a_file_share_its_prepared_rows(planner, file):
    other = "  two: {teach: echo, adapter: tilt, data: {path: a.jsonl, split: test}}\n"
    plan = planner(YAML.format("{path: a.jsonl, split: train}") + other)
    assert [step.name for step in plan.steps if step.name.startswith("data:")] == ["data:a", "data:a:train", "data:a:test"]


def test_parts_are_mixed_by_the_rows_that_they_have(planner, file, tmp_path):
    (tmp_path / "b.jsonl").write_text(file.read_text())
    plan = planner(YAML.format("[{path: a.jsonl, split: test, test_size: 0.25}, b.jsonl]"))
    (mix,) = [step for step in plan.steps if step.verb.name == "mix"]
    assert [source.step for source in mix.inputs.values()] == ["data:a:test", "data:b"]
    assert any("5 of the 5 rows of a.jsonl, 20 of the 20 rows of b.jsonl" in decision.reason for decision in plan.decisions)


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        ("{path: a.jsonl, split: half}", "TS-SPEC-005", "`split: train` or `split: test`"),
        ("{path: a.jsonl, test_size: 0.5}", "TS-SPEC-005", "not which part"),
        ("{path: a.jsonl, split: test, test_size: 1}", "TS-SPEC-005", "between 0 and 1"),
        ("{path: a.jsonl, split: test, test_size: true}", "TS-SPEC-005", "between 0 and 1"),
        ("{path: one.jsonl, split: test}", "TS-DATA-083", "for there is 1"),
    ],
)
def test_a_part_that_can_not_be_is_told(planner, file, data, code, words):
    with pytest.raises((Problems, TunesmithError)) as raised:
        planner(YAML.format(data))
    assert any(problem.code == code and words in problem.what for problem in each(raised.value))


PROMPTS = st.lists(st.binary(min_size=1, max_size=1), min_size=2, max_size=40)


@given(prompts=PROMPTS, test_size=st.floats(0.01, 0.99))
def test_some_prompts_are_held_out_never_all_and_no_more_rows_than_asked_unless_each_has_more(prompts, test_size):
    count, out = Counter(prompts), held_out(prompts, test_size)
    if len(count) < 2:
        assert not out
        return
    rows = sum(count[prompt] for prompt in out)
    assert 0 < rows < len(prompts)
    assert rows <= max(share_of(len(prompts), test_size), min(count.values()))
    assert out == held_out(reversed(prompts), test_size)


@given(rows=st.integers(2, 10_000), test_size=st.floats(0.0001, 0.9999))
def test_of_rows_that_all_ask_something_else_as_many_are_held_out_as_the_plan_said(rows, test_size):
    assert 0 < share_of(rows, test_size) < rows


def _part(tmp_path: Path, rows, part: str, test_size: float = 0.25) -> list[str]:
    source, output = tmp_path / "source", tmp_path / part
    source.mkdir(exist_ok=True)
    output.mkdir()
    (source / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    inputs = {"rows": Artifact("dataset/chat", source)}
    step = WorkerStep(name="it", output=output, work=tmp_path, settings=SplitSettings(part, test_size), inputs=inputs)
    assert split.run(step).meta["rows"] == len(list(read_rows(output)))
    return [" ".join(turn["content"][0]["text"] for turn in row["messages"]) for row in read_rows(output)]


def _said(*texts: str):
    return {"messages": [message(role, text) for role, text in zip(("user", "assistant"), texts, strict=False)]}


def test_the_parts_together_are_all_rows_in_their_order_and_share_none(tmp_path):
    rows = [_said(f"q{number}", "a") for number in range(20)]
    train, test = _part(tmp_path, rows, "train"), _part(tmp_path, rows, "test")
    assert (len(train), len(test)) == (15, 5)
    assert sorted(train + test, key=lambda text: int(text.split()[0][1:])) == [f"q{number} a" for number in range(20)]
    assert train == sorted(train, key=lambda text: int(text.split()[0][1:]))


def test_rows_that_ask_the_same_are_in_one_part_whatever_their_answers(tmp_path):
    rows = [_said(f"Q{number % 8}" if number < 8 else f" q{number % 8} ", f"a{number}") for number in range(16)]
    train, test = _part(tmp_path, rows, "train"), _part(tmp_path, rows, "test")
    assert not {text.split()[0].lower() for text in train} & {text.split()[0].lower() for text in test}


def test_rows_that_all_ask_the_same_can_not_be_parted(tmp_path):
    with pytest.raises(UserError, match="TS-DATA-083"):
        _part(tmp_path, [_said("q", "a"), _said("q", "b")], "test")


@pytest.mark.parametrize(
    ("row", "other", "same"),
    [
        ({"messages": [message("user", "q")], "chosen": ["a"]}, {"messages": [message("user", "q")], "chosen": ["b"]}, True),
        ({"text": "a", "label": "x"}, {"text": "A ", "label": "y"}, True),
        ({"text": "a"}, {"text": "b"}, False),
        ({"anchor": "a", "positive": "b"}, {"anchor": "a", "positive": "c"}, True),
        ({"tokens": ["a"], "labels": ["x"]}, {"tokens": ["b"], "labels": ["x"]}, False),
    ],
)  # fmt: skip
def test_what_a_row_asks_is_what_comes_before_its_answer(row, other, same):
    assert (asked(row) == asked(other)) is same
