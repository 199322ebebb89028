"""Rows that are wanted, and columns that are put together, by expressions over a file's columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact
from tunesmith.errors import TunesmithError, UserError, each
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import message
from tunesmith_data.formats.detection import detect
from tunesmith_data.rows_file import read_file
from tunesmith_data.settings import PrepareSettings
from tunesmith_data.shape.expressions import NotSaid, condition, template
from tunesmith_data.shape.rows import shape_of
from tunesmith_data.verbs import prepare

YAML = "model: shelf://base\nsteps:\n  tune: {{teach: echo, adapter: tilt, data: {}}}\n"
ROWS = [
    {"ask": "Why?", "topic": "sky", "answer": " Because. ", "score": 5},
    {"ask": "How?", "topic": "sea", "answer": "So.", "score": 2},
    {"ask": "Who?", "topic": "sea", "answer": "Me.", "score": 4},
]


@pytest.fixture
def rows(tmp_path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("score >= 4", [1, 3]), ("topic == 'sea' and not ask.startswith('Who')", [2]), ("ask in ['Why?', 'Who?']", [1, 3]),
        ("answer|trim|length > 3", [1]), ("answer|words == 1 and score|string|int > 2", [1, 3]), ("row['score'] is odd", [1]),
        ("answer|regex_search('^S')", [2]),
        ("'Where is the house that he lives in?'|language == 'en'", [1, 2, 3]), ("lang|default('en') == 'en'", [1, 2, 3]),
    ],
)  # fmt: skip
def test_a_filter_keeps_the_rows_that_it_is_true_of_with_their_lines(rows, text, kept):
    lines = list(read_file(rows, shape_of({}, text)))
    assert [line.number for line in lines if line.row] == kept
    assert [line.number for line in lines if line.left_out] == [n for n in (1, 2, 3) if n not in kept]
    assert not any(line.problem for line in lines)


def test_a_column_is_put_together_from_others_which_are_not_read_besides(rows):
    shape = {"question": "{{ topic|upper }}: {{ ask }}", "solution": "{{ answer|trim }}"}
    (first, *_) = (line.row for line in read_file(rows, shape))
    assert first == {"score": 5, "question": "SKY: Why?", "solution": "Because."}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ [{'role': 'user', 'content': ask}] }}", [{"role": "user", "content": "Why?"}]), ("{{ score }}", 5), ("{{- -score -}}", -5),
        ("{{ score }}/5", "5/5"), ("{% if score > 3 %}good{% else %}bad{% endif %}", "good"), ("{{ row.values()|map('string')|list }}",
        ["Why?", "sky", " Because. ", "5"]), ("{{ ask.split('y') }}", ["Wh", "?"]), ("{{ '{\"a\": [1]}'|from_json }}", {"a": [1]}),
    ],
)  # fmt: skip
def test_an_expression_alone_gives_a_value_and_anything_else_a_text(text, value):
    assert template(text)[0](ROWS[0]) == value


@pytest.mark.parametrize(
    ("filter", "words"),
    [("scor > 3", "'scor' is undefined"), ("topic > 3", "not supported between"), ("topic", "is the text 'sky', neither true nor false")],
)
def test_a_row_of_which_it_cannot_be_said_is_a_broken_one_told_with_its_line(rows, formats, filter, words):
    shape = shape_of({"question": "ask", "solution": "answer"}, filter)
    (problem,) = detect(rows, formats(), columns=shape).problems
    assert all(part in problem.why for part in (words, "line 1", f"`{filter}`"))


@pytest.mark.parametrize(
    "text",
    [
        "''.__class__.__mro__[1].__subclasses__()", "row.__init__.__globals__", "row.clear()", "cycler.__init__", "2 ** 100000000",
        "'x' * 100000000", "[1] * 100000000", "range(9)", "self", "('%s' % row).__class__",
    ],
)  # fmt: skip
def test_an_expression_reaches_nothing_but_its_row(text):
    with pytest.raises(NotSaid):
        condition(text)(dict(ROWS[0]))


@pytest.mark.parametrize("text", ["score >", "1 +* 2", "import os", "a b"])
def test_what_is_no_expression_is_refused_before_any_row_is_read(text):
    with pytest.raises(UserError) as raised:
        condition(text)
    assert raised.value.code == "TS-DATA-094"


def test_a_plan_counts_what_is_left_out_and_hands_both_to_the_step(planner, rows):
    data = "{path: rows.jsonl, columns: {question: '{{ topic }}, {{ ask }}', solution: answer}, filter: score > 2}"
    plan = planner(YAML.format(data))
    step = next(step for step in plan.steps if step.name == "data:rows")
    assert step.settings["filter"] == "score > 2"
    assert step.settings["columns"]["question"] == "{{ topic }}, {{ ask }}"
    (reason,) = [decision.reason for decision in plan.decisions if decision.step == "data:rows"]
    assert "2 rows of rows.jsonl fit, 1 are left out by the filter" in reason


def test_another_filter_is_another_step(planner, rows):
    data = "{{path: rows.jsonl, columns: {{question: ask, solution: answer}}, filter: score > {}}}"
    keys = {
        next(step for step in planner(YAML.format(data.format(n))).steps if step.name == "data:rows").settings["filter"] for n in (2, 4)
    }
    assert keys == {"score > 2", "score > 4"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("{path: rows.jsonl, filter: 'score >'}", "TS-DATA-094"), ("{path: rows.jsonl, filter: score > 9}", "TS-DATA-095"),
        ("{path: rows.jsonl, columns: {question: '{{ ask', solution: answer}}", "TS-DATA-094"),
        ("{path: rows.jsonl, filter: [score]}", "TS-SPEC-005"), ("{path: rows.jsonl, filter: ''}", "TS-SPEC-005"),
    ],
)  # fmt: skip
def test_what_can_not_be_planned_says_so(planner, rows, data, code):
    with pytest.raises(TunesmithError) as raised:
        planner(YAML.format(data))
    assert code in {problem.code for problem in each(raised.value)}


class Tickets:
    def convert(self, row):
        return {"messages": [message("user", row["question"]), message("assistant", row["solution"])]}


def test_the_step_prepares_the_rows_that_were_planned(rows, tmp_path):
    settings = PrepareSettings("dataset/chat", {"question": "{{ topic }}", "solution": "answer"}, "score > 2")
    (tmp_path / "out").mkdir()
    step = WorkerStep(
        name="it", work=tmp_path, inputs={"file": Artifact("file", rows)}, output=tmp_path / "out", settings=settings,
        providers={"dataset_format": Tickets()},
    )  # fmt: skip
    assert prepare.run(step).meta["rows"] == 2
    made = [json.loads(line) for line in (tmp_path / "out" / "rows.jsonl").read_text().splitlines()]
    assert [row["messages"][0]["content"][0]["text"] for row in made] == ["sky", "sea"]
