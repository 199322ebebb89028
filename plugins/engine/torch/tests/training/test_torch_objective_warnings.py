"""What an objective sees of all rows, and says of its metrics, reaches the user: once."""

from __future__ import annotations

import pytest

from tunesmith.contracts import UserError
from tunesmith_kto.objective import KahnemanTversky
from tunesmith_kto.settings import UtilitySettings
from tunesmith_sft.objective import SupervisedTuning
from tunesmith_torch.api import LossSum


class Anxious(SupervisedTuning):
    """It says something from the third step on, and at the fifth something else."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def warnings(self, history):
        self.seen.append(len(history))
        return ["it learns"] * (len(history) >= 3) + ["it learns fast"] * (len(history) == 5)


def warned(bench):
    return [said["message"] for method, said in bench.notices if method == "$/log" and said.get("level") == "warning"]


def test_each_sentence_is_told_once_at_steps_that_are_logged(bench, chat_rows):
    objective = Anxious()
    bench.train({"num_train_epochs": 2, "max_steps": 7, "logging_steps": 1}, rows=chat_rows, objective=objective)
    assert objective.seen == [1, 2, 3, 4, 5, 6, 7]
    assert [line for line in warned(bench) if line.startswith("it learns")] == ["it learns", "it learns fast"]


def test_they_are_asked_for_where_metrics_are_told(bench, chat_rows):
    objective = Anxious()
    bench.train({"num_train_epochs": 2, "max_steps": 7, "logging_steps": 3}, rows=chat_rows, objective=objective)
    assert objective.seen == [3, 6, 7]


class Content(SupervisedTuning):
    """Its loss is so many times that of the tokens, and a number."""

    def __init__(self, times, number=0.0):
        super().__init__()
        self.times, self.number = times, number

    def loss(self, batch):
        return LossSum(super().loss(batch).total * self.times + self.number * sum(batch.lengths))

    def formula(self, batch):
        return super().formula(batch) * self.times + self.number


@pytest.mark.parametrize(
    ("objective", "steps", "told"),
    [
        (Content(0), 5, "the loss is exactly 0 in the first 3 steps"), (Content(0), 1, "the loss is exactly 0 in the first step"),
        (Content(0, 1.0), 5, "the gradient is exactly 0 in the first 3 steps"), (Content(1), 5, ""),
    ],
)  # fmt: skip
def test_where_nothing_is_learned_from_the_first_steps_on_that_is_told_once(bench, chat_rows, objective, steps, told):
    bench.train({"num_train_epochs": 9, "max_steps": steps}, rows=chat_rows, objective=objective)
    lines = [line for line in warned(bench) if "exactly 0" in line]
    assert [line.partition(":")[0] for line in lines] == [told] * bool(told)


def judged(preference_rows, sides):
    return [{"messages": row["messages"], "answer": row[side], "label": side == "chosen"} for row in preference_rows for side in sides]


@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_answers_of_one_kind_are_refused_before_a_model_is_loaded(bench, preference_rows, side):
    with pytest.raises(UserError, match="TS-DATA-081"):
        bench.train({"max_steps": 1}, rows=judged(preference_rows, [side]), objective=KahnemanTversky(UtilitySettings()))
    assert not any("training" in str(said) and "parameters" in str(said) for _, said in bench.notices)


def test_weights_that_do_not_make_up_for_the_numbers_are_told(bench, preference_rows):
    rows = judged(preference_rows, ["chosen", "rejected"])[:9] + judged(preference_rows, ["chosen"])
    for settings, expected in ((UtilitySettings(), 1), (UtilitySettings(undesirable_weight=3.5), 0)):
        bench.notices.clear()
        bench.train({"max_steps": 1}, rows=rows, objective=KahnemanTversky(settings))
        assert len([line for line in warned(bench) if "would make up for it" in line]) == expected
