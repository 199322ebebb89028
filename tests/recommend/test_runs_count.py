"""What runs have shown counts in the next recommendation, and it says so."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith_recommend.evidence.entry import MEMORY, TIME, Entry, Grade
from tunesmith_recommend.evidence.known import Known

SMALL = "hf://HuggingFaceTB/SmolLM2-360M-Instruct"
PROVIDERS = {"objective": "sft", "adapter": "lora"}


def run(number: int, time: float = 1.0, memory: float = 1.0, **more: Any) -> Entry:
    grades = (Grade(TIME, 1.0, time), Grade(MEMORY, 1e9, 1e9 * memory))
    usual = {"home": "here", "verb": "train", "device": "a processor", "providers": PROVIDERS, "dtype": "auto", "grades": grades}
    usual["model"] = {"bytes": 0.7e9}
    return Entry(id=str(number), finished=float(number), **{**usual, **more})


@pytest.fixture(scope="module")
def recommended(world: Any):
    models = [model for model in world.models if model.uri == SMALL]

    def of(*runs: Entry, **more: Any):
        return world.recommend("16 GB", "chat", models=models, known=Known(runs, "here"), **more)[0]

    return of


def test_time_and_memory_are_multiplied_by_what_enough_runs_on_this_device_have_shown(recommended):
    rules, two = recommended(), recommended(*(run(number, 3.0) for number in range(2)))
    assert rules.prediction.basis == {"time": "rules", "memory": "rules"}
    assert two.prediction.seconds == rules.prediction.seconds
    assert two.prediction.basis["time"] == "rules; 2 runs like it, and 3 are needed"
    five = recommended(*(run(number, ratio, 1.2) for number, ratio in enumerate((1.5, 3.0, 3.0, 3.1, 9.0))))
    assert five.prediction.seconds == pytest.approx(3 * rules.prediction.seconds)
    assert five.prediction.memory > rules.prediction.memory
    assert (
        five.prediction.basis["time"]
        == "measured: from 5 runs here (the same device and such a model and sft and lora): 3.00 times what rules say, 1.50 to 9.00"
    )
    assert five.pipeline == rules.pipeline
    tiny = recommended(*(run(number, 60.0, model={"bytes": 1e6}) for number in range(9)))
    assert tiny.prediction == rules.prediction  # what a tiny model takes is no measure


def test_what_would_take_too_long_by_what_runs_have_shown_is_not_recommended(recommended):
    from tunesmith.errors import UserError

    budget = recommended().prediction.seconds * 2
    recommended(budget=budget)
    with pytest.raises(UserError, match="TS-RECOMMEND-001"):
        recommended(*(run(number, 50.0) for number in range(5)), budget=budget)


def test_the_learning_rate_that_won_on_like_rows_is_taken_and_what_they_came_to_is_predicted(recommended):
    tried = [(1e-5, 2.4), (5e-4, 1.9), (1e-3, 3.0)]
    like = {"data": {"rows": 1000, "characters": 800_000, "digest": "d"}, "model": {"bytes": 0.7e9, "digest": "m"}}
    runs = [
        run(number, settings={"learning_rate": rate}, results={"validation_loss": loss}, **like)
        for number, (rate, loss) in enumerate(tried)
    ]
    found = recommended(*runs)
    (choice,) = [choice for choice in found.choices if choice.topic == "learning_rate"]
    assert (choice.value, choice.rule.id) == (5e-4, "evidence.won")
    assert "0.0002, as `lora` says" in choice.instead_of
    assert found.pipeline["steps"]["tune"]["settings"]["learning_rate"] == 5e-4
    assert (found.prediction.quality, found.prediction.basis["quality"]) == (2.4, "measured: from 3 runs on like rows, 1.9 to 3")
