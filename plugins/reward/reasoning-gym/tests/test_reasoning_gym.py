"""Tasks by the real reasoning-gym: rows that are scored as it would score them, none twice, none of the held-out ones before."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tunesmith.contracts import UserError
from tunesmith.errors import TunesmithError
from tunesmith_reasoning_gym.reward import TaskReward, answer_of
from tunesmith_reasoning_gym.settings import TaskRewardSettings, TaskSettings
from tunesmith_reasoning_gym.tasks import run

pytestmark = pytest.mark.slow  # reasoning-gym takes seconds to import


def made(folder, **settings):
    folder.mkdir(exist_ok=True)
    logged = []
    step = SimpleNamespace(
        settings=TaskSettings(**settings), seed=3, output=folder, log=logged.append, check_cancelled=lambda: None,
        progress=lambda *of, **named: None,
    )  # fmt: skip
    run(step)
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()], logged


def question(row):
    return row["messages"][0]["content"][0]["text"]


def test_rows_are_scored_as_their_task_would_and_none_is_asked_twice(tmp_path):
    small = {"chain_sum": {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1}}
    rows, logged = made(tmp_path / "learn", tasks=[small, "spell_backward"], size=60)
    assert {row["columns"]["metadata"]["source_dataset"] for row in rows} == {"chain_sum", "spell_backward"}
    assert len({question(row) for row in rows}) == len(rows)
    assert len(rows) == 60 or "left out" in logged[0]
    assert made(tmp_path / "again", tasks=[small, "spell_backward"], size=60)[0] == rows
    held_out, _ = made(tmp_path / "held-out", tasks=[small, "spell_backward"], first=60, size=60)
    assert held_out
    assert not {question(row) for row in held_out} & {question(row) for row in rows}

    reward = TaskReward(TaskRewardSettings())
    for row in rows[:6]:
        answer = row["columns"]["answer"]
        assert reward.score("p", f"so <answer> {answer} </answer>", row["columns"]) == 1
        assert reward.score("p", answer, row["columns"]) == 1
        assert reward.score("p", "", row["columns"]) < 0.1


@pytest.mark.parametrize("tasks", [[], ["no_such_task"], [{"chain_sum": {"terms": 3}}], [{"chain_sum": {"min_terms": 0}}], ["arc_agi"]])
def test_tasks_that_cannot_be_made_or_not_be_scored_from_rows_are_refused(tmp_path, tasks):
    with pytest.raises(UserError, match="TS-REWARD-009"):
        made(tmp_path, tasks=tasks, size=3)


def test_nothing_new_is_an_error(tmp_path):
    only = {"chain_sum": {"min_terms": 1, "max_terms": 1, "min_digits": 1, "max_digits": 1}}
    with pytest.raises(UserError, match="TS-REWARD-010"):
        made(tmp_path, tasks=[only], first=2000, size=3)


def test_a_row_of_no_task_fails_and_is_not_zero():
    reward = TaskReward(TaskRewardSettings())
    with pytest.raises(TunesmithError, match="TS-REWARD-004"):
        reward.score("p", "4", {"answer": "4"})
    with pytest.raises(TunesmithError, match="TS-REWARD-009"):
        reward.score("p", "4", {"answer": "4", "metadata": {"source_dataset": "none"}})


def test_an_answer_stands_between_tags_or_is_all_of_the_text():
    assert answer_of("<answer>1</answer> no, <answer> 2\n</answer>.", "answer") == "2"
    assert answer_of(" 2 ", "answer") == "2"
    assert answer_of("<answer>2</answer>", "") == "<answer>2</answer>"
