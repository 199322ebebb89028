"""Rows are read from files as they are written, each with its line."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith_data.rows_file import Line, NotRows, read_file


def text(*required):
    return {"row": {"type": "object", "required": list(required), "properties": {name: {"type": "string"} for name in required}}}


COLUMNS = st.sampled_from(["question", "solution", "good"]) | st.text(max_size=3)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(COLUMNS, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.dictionaries(st.text(max_size=3), ANY_JSON, max_size=3), max_size=5), indent=st.sampled_from([None, 0, 3]))
def test_an_array_has_the_rows_and_lines_that_it_was_written_with(rows, indent, tmp_path):
    path = tmp_path / "rows.json"
    text = json.dumps(rows, indent=indent, ensure_ascii=False)
    path.write_text(text, "utf-8", newline="")
    lines = list(read_file(path))
    assert [line.row for line in lines] == rows
    ends = text.split("\n")
    assert all(ends[line.number - 1].lstrip(" [,").startswith("{") for line in lines)


def test_what_is_no_file_of_rows_says_so(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(NotRows, match="table"):
        list(read_file(tmp_path / "a.csv"))


CASES = Path(__file__).parents[4] / "tests" / "cases"


def test_a_number_that_no_float_holds_is_told_with_its_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"x": 1e308}\n{"x": [1e999]}\n')
    assert [line.problem for line in read_file(path)] == ["", "holds a number that is too large"]


def test_the_case_of_half_a_character_names_its_line():
    lines = list(read_file(CASES / "half-a-character" / "rows.jsonl"))
    assert [bool(line.problem) for line in lines] == [False, True]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=4), inner, max_size=3)
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(JSON, max_size=4), st.booleans())
def test_whatever_json_a_file_holds_its_rows_can_be_written_again(tmp_path, values, lines):
    path = tmp_path / "any.jsonl"
    path.write_text("\n".join(map(json.dumps, values)) if lines else json.dumps(values), "utf-8")
    with contextlib.suppress(NotRows):
        for line in read_file(path):
            json.dumps(line.row, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize("text", ["A document.\n\nIts end.", "[Night]\nA room.", "{so}", "a,b\n1,2\n"])
def test_a_text_file_is_one_row(text, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    assert [line.row for line in read_file(tmp_path / "a.txt")] == [{"text": text}]


@pytest.mark.parametrize("text", ['{"a": 1}\n{"a": 2}\n', '[{"a": 1},\n {"a": 2}]'])
def test_a_text_file_of_rows_is_its_rows(text, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    assert [line.row for line in read_file(tmp_path / "a.txt")] == [{"a": 1}, {"a": 2}]


def test_a_text_file_tells_where_it_is_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    assert [line.problem for line in read_file(tmp_path / "a.txt")] == ["is not UTF-8 (byte 4)"]
    (tmp_path / "a.txt").write_text(" \n")
    assert list(read_file(tmp_path / "a.txt")) == [Line(1)]


def test_a_text_file_that_is_too_long_for_a_row_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tunesmith_data.rows_file._LARGEST_ROW", 4)
    (tmp_path / "a.txt").write_text("12345")
    with pytest.raises(NotRows, match="one document of more than"):
        list(read_file(tmp_path / "a.txt"))
