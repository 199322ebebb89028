"""Rows in compressed files, in tables by columns, and in files that a pattern names."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith_data.column_path import MISSING, value_at
from tunesmith_data.line import NotRows
from tunesmith_data.mixture import mixture_of
from tunesmith_data.rows_file import read_file

ROWS = [{"question": f"q{at}", "answers": [{"text": f"a{at}"}], "score": at / 2} for at in range(900)]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
PACKERS = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}


def rows_of(path: Path, columns: dict[str, str] | None = None) -> list[object]:
    return [line.row for line in read_file(path, columns)]


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("inner", [".jsonl", ".json", ".csv"])
def test_a_compressed_file_has_the_rows_of_the_one_in_it(tmp_path: Path, suffix: str, inner: str) -> None:
    contents = {".jsonl": JSONL, ".json": json.dumps(ROWS).encode(), ".csv": b"\xef\xbb\xbfquestion;answer\nq;a\n"}
    plain, packed = tmp_path / f"rows{inner}", tmp_path / f"packed{inner}{suffix}"
    plain.write_bytes(contents[inner])
    packed.write_bytes(PACKERS[suffix](contents[inner]))
    assert rows_of(packed) == rows_of(plain)


@settings(max_examples=30)
@given(data=st.data())
def test_of_a_damaged_compressed_file_the_rows_before_are_read_and_the_rest_is_told(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    suffix = data.draw(st.sampled_from(sorted(PACKERS)))
    packed = PACKERS[suffix](JSONL)
    cut = packed[: data.draw(st.integers(20, len(packed) - 1))]
    path = tmp_path_factory.mktemp("cut") / f"rows.jsonl{suffix}"
    path.write_bytes(cut)
    lines = list(read_file(path))
    assert [line.row for line in lines if line.row] == ROWS[: sum(1 for line in lines if line.row)]
    assert len([line for line in lines if line.problem]) <= 2
    assert any("cut off" in line.problem for line in lines) or suffix == ".zst"  # whose frames of one block may be cut at their end


def test_two_compressed_parts_one_after_another_are_one_file(tmp_path: Path) -> None:
    for suffix, pack in PACKERS.items():
        path = tmp_path / f"rows.jsonl{suffix}"
        path.write_bytes(pack(JSONL) + pack(JSONL))
        assert len(rows_of(path)) == 2 * len(ROWS)


def test_a_line_that_is_larger_than_any_row_ends_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith_data.rows_file.LARGEST_ROW", 1000)
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n{"a": "' + b" " * 10**6 + b'"}\n'))
    first, second = read_file(path)
    assert first.row == {"a": 1}
    assert "no more of the file was read" in second.problem


def _parquet(path: Path, table: pyarrow.Table) -> None:
    pyarrow.parquet.write_table(table, path, row_group_size=70)


def _stream(path: Path, table: pyarrow.Table) -> None:
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=70)


def _file(path: Path, table: pyarrow.Table) -> None:
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=500)


@pytest.mark.parametrize("write", [_parquet, _stream, _file])
def test_a_table_by_columns_has_its_rows_with_their_numbers(tmp_path: Path, write: object) -> None:
    path = tmp_path / "rows.table"
    write(path, pyarrow.Table.from_pylist(ROWS))  # type: ignore[operator]
    lines = list(read_file(path))
    assert [line.row for line in lines] == ROWS
    assert [line.number for line in lines] == list(range(1, len(ROWS) + 1))


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    _parquet(path, pyarrow.Table.from_pylist(ROWS))
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(NotRows, match="can't be read"):
        list(read_file(path))
    path.write_bytes(whole[:200] + bytes(400) + whole[600:])
    assert any("damaged" in line.problem for line in read_file(path))


def test_what_json_has_no_value_for_is_told_by_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    _parquet(path, pyarrow.Table.from_pylist([{"a": {"b": b"\0"}}, {"a": None}]))
    first, second = read_file(path)
    assert first.problem == "has bytes in column `a.b`, which is no text, number, list or object"
    assert second.row == {"a": None}


def test_a_column_may_lie_within_objects_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(JSONL)
    found = rows_of(path, {"prompt": "question", "completion": "answers[0].text"})
    assert found[3] == {"prompt": "q3", "score": 1.5, "completion": "a3"}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("a.b", "own"),
        ("c.d[1]", 3),
        ("c.d[-1]", 4),
        ("c.d[9]", MISSING),
        ("c.x", MISSING),
        ("c", {"d": [2, 3, 4]}),
        ("", MISSING),
        ("c[0]", MISSING),
    ],
)
def test_a_name_that_a_column_has_comes_before_the_way_that_it_might_be(column: str, value: object) -> None:
    assert value_at({"a.b": "own", "a": {"b": 1}, "c": {"d": [2, 3, 4]}}, column) == value


def test_a_pattern_is_all_files_that_it_fits_in_order(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c.json"):
        (tmp_path / name).write_bytes(JSONL[:100])
    assert mixture_of("*.jsonl").expanded(tmp_path).paths == ("a.jsonl", "b.jsonl")
    named = mixture_of({"path": "*.jsonl", "columns": {"prompt": "q"}}).expanded(tmp_path)
    assert named.columns == ((("prompt", "q"),), (("prompt", "q"),))


def test_a_file_of_a_pattern_s_very_name_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a[1].jsonl").write_bytes(JSONL[:100])
    assert mixture_of("a[1].jsonl").expanded(tmp_path).paths == ("a[1].jsonl",)


@pytest.mark.parametrize(
    ("written", "code"),
    [("none*.jsonl", "TS-DATA-085"), ({"*.jsonl": 0.5, "c.json": 0.5}, "TS-SPEC-005"), (["*.jsonl", "a.jsonl"], "TS-SPEC-005")],
)
def test_a_pattern_that_says_too_little_is_refused(tmp_path: Path, written: object, code: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(JSONL[:100])
    with pytest.raises(UserError) as told:
        mixture_of(written).expanded(tmp_path)
    assert told.value.code == code
