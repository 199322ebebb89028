"""A function of the user's says what an answer is worth; where it fails or can't tell, that is no bad answer."""

from __future__ import annotations

import pytest

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_custom.evaluator import Custom
from tunesmith_custom.score_function import value_of
from tunesmith_custom.settings import CustomSettings
from tunesmith_data.api import message
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint
from tunesmith_sdk.testing.datasets import dataset

SAID = {"one": "1", "two": "2", "three": "three", "four": "4"}


def evaluate(step, code, **settings):
    rows = [{"messages": [message("user", asked)], "columns": {"wanted": at + 1}} for at, asked in enumerate(SAID)]
    with scripted_endpoint(SAID, step.work) as subject:
        return Custom(CustomSettings(code=code, **settings)).evaluate(subject, dataset(step.work / "rows", rows, "dataset/prompt"), step)


def test_right_and_wrong_are_a_share_with_its_interval(local_step):
    found = evaluate(local_step(), "def score(answer, row):\n    return answer == str(row['wanted'])\n")
    assert found.metrics["score"] == 0.75
    assert found.metrics["score/low"] < 0.75 < found.metrics["score/high"]
    assert [sample["right"] for sample in found.samples] == [True, True, False, True]


def test_numbers_are_a_mean_and_what_the_function_can_read_is_there(local_step):
    code = "import re\ndef score(answer, row):\n    assert set(row) >= {'question', 'messages', 'wanted'}\n    return len(answer) / 2\n"
    found = evaluate(local_step(), code)
    assert found.metrics["score"] == pytest.approx((0.5 + 0.5 + 2.5 + 0.5) / 4)
    assert found.samples[2]["score"] == 2.5


def test_a_function_that_fails_or_cannot_tell_is_counted_apart(local_step):
    fails = "def score(answer, row):\n    return int(answer) > 1\n"
    with pytest.raises(TunesmithError, match="TS-EVAL-001"):
        evaluate(local_step(), fails)
    found = evaluate(local_step(), fails, max_not_scored=0.25)
    assert (found.metrics["scored"], found.metrics["failed"]) == (3.0, 1.0)
    assert found.metrics["score"] == pytest.approx(2 / 3)
    cannot = "def score(answer, row):\n    return None if answer == 'three' else True\n"
    assert evaluate(local_step(), cannot, max_not_scored=0.25).metrics["unparsed"] == 1.0


def test_an_answer_is_no_number_where_the_function_gives_none():
    assert value_of(True) is True
    with pytest.raises((TypeError, ValueError)):
        value_of("good")
    with pytest.raises(ValueError, match="nan"):
        value_of(float("nan"))


@pytest.mark.parametrize(
    "settings", [{}, {"code": "x = 1"}, {"code": "def score("}, {"function": "no_such_module:score"}, {"function": "math"},
                 {"function": "math:pi"}, {"code": "def score(a, r): return 1", "function": "math:floor"}],
)  # fmt: skip
def test_settings_without_one_function_are_refused(settings):
    with pytest.raises(UserError, match="TS-EVAL-011"):
        Custom(CustomSettings(**settings))


def test_prompts_are_no_examples(local_step):
    with pytest.raises(UserError, match="TS-EVAL-011"):
        evaluate(local_step(), "def score(answer, row):\n    return True\n", num_fewshot=1)


def test_a_function_of_an_installed_package_scores(local_step):
    rows = [{"messages": [message("user", "one"), message("assistant", "1")]}]
    step = local_step()
    with scripted_endpoint(SAID, step.work) as subject:
        found = Custom(CustomSettings(function="operator:contains", max_not_scored=1.0))
        with pytest.raises(TunesmithError, match="TS-EVAL-001"):  # a text holds no mapping: it fails for every row
            found.evaluate(subject, dataset(step.work / "rows", rows), step)
