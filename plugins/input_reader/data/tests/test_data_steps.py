"""What the steps do that are planned for data files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact, TunesmithError, UserError
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import message, read_rows
from tunesmith_data.settings import MixSettings, PrepareSettings
from tunesmith_data.verbs import mix, prepare


class Pairs:
    """Rows of a question and an answer."""

    def convert(self, row: dict[str, str]) -> dict[str, Any]:
        if not row["a"]:
            raise UserError("TS-DATA-020", "the answer is empty", fix="Write one.")
        return {"messages": [message("user", row["q"]), message("assistant", row["a"])]}


def _prepare(tmp_path: Path, text: str, name: str = "data.jsonl", format: Any = None) -> tuple[Any, WorkerStep]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "output").mkdir()
    step = WorkerStep(
        name="it", output=tmp_path / "output", work=tmp_path, providers={"dataset_format": format or Pairs()}, settings=PrepareSettings(),
        inputs={"file": Artifact("file", tmp_path / name)},
    )  # fmt: skip
    return prepare.run(step), step


@pytest.mark.parametrize(
    "text",
    [
        '{"q": "a", "a": "bé"}\n\n{"q": "cc", "a": "d"}\n',
        '[{"q": "a", "a": "bé"},\n {"q": "cc", "a": "d"}]',
        '\ufeff[{"q":"a","a":"bé"},{"q":"cc","a":"d"}]',
    ],
    ids=["lines", "list", "list with a byte order mark"],
)
def test_prepare_writes_rows_and_counts_them(tmp_path: Path, text: str) -> None:
    result, step = _prepare(tmp_path, text)
    assert result.format == "dataset/chat"
    assert result.meta == {"rows": 2, "characters": 6, "longest": 3}
    assert [row["messages"][1]["content"][0]["text"] for row in read_rows(step.output)] == ["bé", "d"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ('{"q": "a", "a": "b"}\n{"q": "a", "a"', "TS-DATA-003", "data.jsonl:2:"),
        ('[{"q": "a", "a": "b"},\n\n{"q": }]', "TS-DATA-003", "data.jsonl:3:"),
        ('{"q": "a", "a": "b"}\n{"q": "a", "a": ""}\n', "TS-DATA-020", "data.jsonl:2:"),
        ('{"q": "a", "a": "b"}\n{"q": "a"}\n', "TS-DATA-003", "data.jsonl:2:"),
        ("\n\n", "TS-DATA-002", "no rows"),
        ("[]", "TS-DATA-002", "no rows"),
    ],
)
def test_prepare_names_file_and_line_of_what_is_wrong(tmp_path: Path, text: str, code: str, place: str) -> None:
    with pytest.raises(UserError) as caught:
        _prepare(tmp_path, text)
    assert caught.value.code == code
    assert place in caught.value.what
    assert caught.value.fix


class Twice(Pairs):
    """Each row becomes as many as its number says."""

    def convert(self, row: dict[str, Any]) -> Any:
        return [{"messages": [message("user", row["q"]), message("assistant", str(number))]} for number in range(row["n"])]


def test_a_row_may_become_several_or_none(tmp_path: Path) -> None:
    result, step = _prepare(tmp_path, '{"q": "a", "n": 2}\n{"q": "b", "n": 0}\n{"q": "c", "n": 1}\n', format=Twice())
    assert result.meta["rows"] == 3
    assert [row["messages"][0]["content"][0]["text"] for row in read_rows(step.output)] == ["a", "a", "c"]


def test_prepare_lists_several_broken_rows_at_once(tmp_path: Path) -> None:
    with pytest.raises(TunesmithError) as caught:
        _prepare(tmp_path, '{"q": "a", "a": ""}\n' * 8)
    assert "line 2: the answer is empty" in caught.value.why
    assert "and 3 more" in caught.value.why


def test_prepare_says_that_a_file_holds_no_rows_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="TS-DATA-006"):
        _prepare(tmp_path, "question,question\nwhy,so\n", "table.csv")


def test_prepare_reads_a_table(tmp_path: Path) -> None:
    result, step = _prepare(tmp_path, "q,a\na,b\nc,d\n", "table.csv")
    assert result.meta["rows"] == 2
    assert [row["messages"][0]["content"][0]["text"] for row in read_rows(step.output)] == ["a", "c"]


@pytest.mark.parametrize("weights", [[1.0], [0.0, 1.0], [1.0, -1.0], [1.0, 1.0, 1.0]])
def test_mix_refuses_weights_that_are_not_one_above_zero_for_each(tmp_path: Path, weights: list[float]) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")
    rows = Artifact("dataset/chat", tmp_path)
    step = WorkerStep(name="it", output=tmp_path, work=tmp_path, inputs={"rows": rows, "rows.2": rows}, settings=MixSettings(weights))
    with pytest.raises(UserError, match="TS-DATA-066"):
        mix.run(step)
