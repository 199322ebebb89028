"""`tunesmith data fix`: what is left out of the copy, why, and that the file itself stays as it is."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith_data.commands import main
from tunesmith_data.commands.rows import line_numbers
from tunesmith_data.fixed_copy import FixedCopy, Wanted, fixed_copy, lines_left
from tunesmith_data.formats.detection import by_schema

LONG = "What is the capital of France, and since when has it been there"
ROWS: Sequence[Mapping[str, Any] | str] = (
    {"question": "q", "solution": "s"}, {"question": " Q ", "solution": "s"}, {"question": 1, "solution": "s"}, "{broken",
    {"question": LONG, "solution": "Paris"},
    {"question": LONG + "?", "solution": "Paris."}, {"question": "other", "solution": "more"},
)  # fmt: skip


@pytest.fixture
def fixed(tmp_path: Path, formats: Callable[[], Any]) -> Callable[..., tuple[FixedCopy, list[Any]]]:
    def made(rows: Sequence[Any] = ROWS, **options: Any) -> tuple[FixedCopy, list[Any]]:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        before = path.read_bytes()
        found = fixed_copy(path, formats(), columns={}, check=by_schema, **options)
        assert path.read_bytes() == before
        return found, [json.loads(line) for line in lines_left(path, {}, found)]

    return made


def test_broken_rows_and_those_that_are_there_before_are_left_out_by_line(fixed: Callable[..., Any]) -> None:
    found, left = fixed()
    assert [line for line, _ in found.left_out["broken"]] == [3, 4]
    assert found.left_out["duplicate"] == [(2, "is line 1 again")]
    assert left == [ROWS[0], ROWS[4], ROWS[5], ROWS[6]]
    assert (found.rows, found.kept) == (7, 4)


def test_rows_of_another_length_or_language_are_left_out(fixed: Callable[..., Any]) -> None:
    rows = [{"question": "What is it that you are looking for in this house?", "solution": "It is the key of the door."},
            {"question": "这座房子是什么时候建的？", "solution": "是一百年前建的。"}, {"question": "q", "solution": "s"}]  # fmt: skip
    found, left = fixed(rows, wanted=Wanted(least=10, languages=("en",)))
    assert left == rows[:1]
    assert found.left_out["length"] == [(3, "has 3 characters")]
    assert found.left_out["language"] == [(2, "is in `zh`")]
    assert fixed(rows, wanted=Wanted(most=30))[1] == rows[1:]
    assert fixed(rows, wanted=Wanted(languages=("zh",)))[1] == rows[1:], "of the last one the language can't be told"


def test_what_is_asked_to_be_kept_is_kept(fixed: Callable[..., Any]) -> None:
    _, left = fixed(keep=["duplicate"])
    assert ROWS[1] in left


def test_rows_that_are_nearly_an_earlier_one_go_where_that_is_asked_for(fixed: Callable[..., Any]) -> None:
    found, left = fixed(near=True)
    assert [line for line, _ in found.left_out["near-duplicate"]] == [6]
    assert ROWS[5] not in left


def test_no_row_for_evaluation_is_left_however_often_it_is_there(fixed: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "held.jsonl").write_text(json.dumps(ROWS[4]) + "\n")
    found, left = fixed(against=tmp_path / "held.jsonl")
    assert sorted(line for line, _ in found.left_out["evaluation"]) == [5, 6]
    assert left == [ROWS[0], ROWS[6]]
    found, _ = fixed(against=tmp_path / "held.jsonl", against_filter="question == 'none of them'")
    assert found.left_out["evaluation"] == []


_VALUES = st.one_of(st.sampled_from(["a", "A ", "b c", ""]), st.integers(0, 1))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries({"question": _VALUES, "solution": _VALUES}), min_size=1, max_size=8))
def test_of_a_fixed_copy_nothing_is_left_out(fixed: Callable[..., Any], rows: list[dict[str, Any]]) -> None:
    good = [{"question": f"always {at}", "solution": "there"} for at in range(20)]  # that tell the format, whatever the others are
    first, left = fixed([*good, *rows])
    second, again = fixed(left)
    assert again == left
    assert second.lines == set()
    assert first.kept + len(first.lines) == first.rows == len(rows) + 20


@pytest.mark.parametrize("output", ["rows.jsonl", "nowhere/clean.jsonl"])
def test_a_copy_that_can_not_be_written_is_told_before_the_rows_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("{not read")
    with pytest.raises(UserError, match="TS-DATA-086"):
        main(["fix", "rows.jsonl", "--output", output])


def test_lines_that_are_named_and_those_told_by_tokens_are_left_out_with_what_is_told(fixed: Callable[..., Any]) -> None:
    rows = [{"question": f"number {n}", "solution": "s"} for n in range(5)]
    found, left = fixed(rows, without={2, 3}, tokens={1: "longer than 64 tokens", 3: "more"})
    assert found.left_out["named"] == [(2, ""), (3, "")]
    assert found.left_out["tokens"] == [(1, "longer than 64 tokens")]
    assert [row["question"] for row in left] == ["number 3", "number 4"]


def test_the_lines_of_a_command_are_numbers_and_ranges() -> None:
    assert line_numbers("3,17,5-7") == {3, 5, 6, 7, 17}
    for wrong in ("", "a", "3-", "-3", "3;4"):
        with pytest.raises(ArgumentTypeError, match="numbers of lines"):
            line_numbers(wrong)
