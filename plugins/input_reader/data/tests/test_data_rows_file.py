"""Rows are read from files as they are written, each with its line."""

import contextlib
import csv
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith_data.line import Line, NotRows
from tunesmith_data.rows_file import read_file


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
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(NotRows, match="table of Parquet"):
        list(read_file(tmp_path / "a.parquet"))


CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8).filter(lambda text: "\r" not in text)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.tuples(CELLS, CELLS), max_size=5), separator=st.sampled_from([",", ";", "\t"]), mark=st.booleans())
def test_a_table_has_the_rows_that_it_was_written_with(table, separator, mark, tmp_path):
    path = tmp_path / "rows.csv"
    with open(path, "w", encoding="utf-8-sig" if mark else "utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerows([("question", "solution"), *table])
    lines = list(read_file(path))
    full = [row for row in table if "".join(row).strip()]
    assert [tuple(line.row.values()) for line in lines if line.row] == full
    assert not any(line.problem for line in lines)


def test_a_row_of_a_table_has_the_line_on_which_it_begins_and_what_is_wrong_there(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('question,solution\n"two\nlines",b\nalone\n\n"cut')
    assert [line[:3] for line in read_file(path)] == [
        (2, {"question": "two\nlines", "solution": "b"}, ""),
        (4, None, "has 1 cells, and there are 2 columns: question, solution"),
        (5, None, ""),
        (6, None, "is no row of a table: unexpected end of data"),
    ]
    path.write_bytes("question,solution\nq,caf\u00e9\n".encode("latin-1"))
    assert "is not UTF-8" in list(read_file(path))[-1].problem


@pytest.mark.parametrize(("head", "why"), [("a,a", "two columns have one name"), ("a,,b", "a column has no name")])
def test_a_table_whose_first_line_names_no_columns_is_told_of(head, why, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(f"{head}\n1,2,3\n")
    with pytest.raises(NotRows, match=why):
        list(read_file(path))


def test_a_long_cell_of_a_table_is_read_whole(tmp_path):
    path = tmp_path / "rows.tsv"
    path.write_text(f"text\tlabel\n{'long ' * 100_000}\tyes\n")
    assert [len(line.row["text"]) for line in read_file(path)] == [500_000]


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


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.txt"])
def test_a_file_as_spreadsheets_in_china_write_it_is_told_as_that(name, tmp_path):
    rows = "instruction,output\n法国的首都是哪里？,巴黎\nplain,text\n镕基,喆\n"
    (tmp_path / name).write_bytes(rows.encode("gb18030"))
    with pytest.raises(NotRows, match="not in UTF-8, but can be read as GB18030"):
        list(read_file(tmp_path / name))
    (tmp_path / name).write_bytes(rows.encode("gb18030") + "中\n".encode())
    list(read_file(tmp_path / name))  # lines that are damaged are told one by one
    (tmp_path / "latin.csv").write_bytes("question,solution\nfür,naïve\n".encode("latin-1"))
    assert "is not UTF-8" in list(read_file(tmp_path / "latin.csv"))[-1].problem


def test_a_text_file_that_is_too_long_for_a_row_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tunesmith_data.rows_file.LARGEST_ROW", 4)
    (tmp_path / "a.txt").write_text("12345")
    with pytest.raises(NotRows, match="one document of more than"):
        list(read_file(tmp_path / "a.txt"))
