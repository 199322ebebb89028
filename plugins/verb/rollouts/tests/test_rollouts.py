"""What a model wrote while it trained is told from the artifact: by collection, and the best and the worst."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tunesmith.errors import UserError
from tunesmith_rollouts import command
from tunesmith_rollouts.ledger import FILE, ordered, read, summaries

LINES = [
    {"collection": at // 2, "row": at % 2 + 1, "sample": 0, "version": at // 2, "prompt": [1], "completion": [5] * (at + 1),
     "text": f"answer {at}\x1b[31m", "finished": at != 3, "reward": reward, "parts": {"exact": reward}, "failed": False,
     "log_probs": [-0.5] * (at + 1), "old": [], "turns": [], "failure": ""}
    for at, reward in enumerate((0.0, 1.0, None, 0.5))
]  # fmt: skip


@pytest.fixture
def made(tmp_path, monkeypatch):
    (tmp_path / FILE).write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in LINES).encode()))
    artifacts = {"data": None, "solve": SimpleNamespace(path=tmp_path)}
    view = SimpleNamespace(row=SimpleNamespace(id="1"), steps=artifacts, artifact=artifacts.get)

    @contextmanager
    def chosen(name):
        yield view

    monkeypatch.setattr(command, "chosen_run", chosen)
    return tmp_path


def test_collections_are_told_with_their_means_and_what_is_unscored(made):
    first, second = summaries(list(read(made)))
    assert first == {"steps_before": 0, "completions": 2, "reward": 0.5, "unscored": 0, "failed": 0, "mean_length": 1.5, "truncated": 0}
    assert second == {"steps_before": 1, "completions": 2, "reward": 0.5, "unscored": 1, "failed": 0, "mean_length": 3.5, "truncated": 1}


def test_the_best_come_first_and_the_unscored_are_neither_best_nor_worst():
    assert [one["reward"] for one in ordered(LINES)] == [1.0, 0.5, 0.0]


def test_the_command_shows_table_best_and_worst_without_control_characters(made, capsys):
    assert command.main([]) == 0
    told = capsys.readouterr().out
    assert "AFTER STEP" in told
    assert told.index("best") < told.index("answer 1") < told.index("worst") < told.rindex("answer 0")
    assert "\x1b" not in told


def test_episodes_are_shown_turn_by_turn(made, capsys):
    turns = [
        {"start": 0, "stop": 1, "text": "5", "messages": [{"role": "user", "content": "Higher."}], "reward": None},
        {"start": 3, "stop": 4, "text": "7", "messages": [], "reward": 0.9},
    ]
    lines = [{**LINES[1], "turns": turns}, {**LINES[2], "failed": True, "failure": "it has died"}]
    (made / FILE).write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    assert command.main([]) == 0
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert told[0].endswith("FAILED TOKENS TRUNCATED TURNS")
    assert told[2].split()[4] == "1"
    at = told.index("> 5")
    assert told[at : at + 3] == ["> 5", "user: Higher.", "> 7 [0.9]"]


def test_json_has_all_of_each_rollout_of_a_row(made, capsys):
    assert command.main(["--row", "2", "--json"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [LINES[1], LINES[3]]


def test_a_run_without_rollouts_and_a_broken_ledger_are_refused_with_the_reason(made):
    with pytest.raises(UserError, match="TS-TRAIN-130"):
        command.run(SimpleNamespace(run=None, step="data", row=0, show=1, json=False))
    with pytest.raises(UserError, match="TS-CLI-013"):
        command.run(SimpleNamespace(run=None, step="nothing", row=0, show=1, json=False))
    (made / FILE).write_bytes((made / FILE).read_bytes()[:40])
    with pytest.raises(UserError, match="TS-TRAIN-131"):
        list(read(made))
