"""`tunesmith rewards score`: rows, tallies, and what junk gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.errors import UserError
from tunesmith_rewards.commands.score import main, read_rows

ROWS = [
    {"prompt": [{"role": "user", "content": "6 times 7?"}], "completion": "42", "answer": "42"},
    {"prompt": "5 times 5?", "completion": "24", "answer": "25"},
    {"prompt": "Why?", "completion": "Because."},
]


def test_rows_are_scored_and_junk_that_wins_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "completions.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in ROWS))
    entry = "{length: {at_least: 300, at_most: 9000}, weight: 2}"
    assert main(["score", str(file), "--reward", "exact", "--reward", entry, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["parts"]["exact"] for row in told["rows"]] == [1.0, 0.0, None]
    assert "TS-REWARD-004" in told["rows"][2]["failed"]["exact"]
    assert told["rewards"]["exact"] | {"seconds": 0} == {"asked": 3, "unscored": 0, "failed": 1, "seconds": 0}
    assert any("longest" in warning for warning in told["warnings"])
    assert main(["score", str(file), "--reward", "exact"]) == 0
    text = capsys.readouterr().out
    assert "failed" in text
    assert "mean total of 2 of 3 rows: 0.5" in text


@pytest.mark.parametrize("text", ["", "{", '{"prompt": "p"}', "[1]"])
def test_a_file_without_completions_is_refused(tmp_path: Path, text: str):
    file = tmp_path / "completions.jsonl"
    file.write_text(text)
    with pytest.raises(UserError, match="TS-REWARD-006"):
        read_rows(file)
