"""Programs of the kit's scripted endpoint, run against tests in the sandbox."""

from itertools import combinations

import pytest

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_data.api import message
from tunesmith_pass_at_k.evaluator import PassAtK, pass_at_k
from tunesmith_pass_at_k.problems import columns, completion
from tunesmith_pass_at_k.settings import PassAtKSettings
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint
from tunesmith_sdk.testing.datasets import dataset

HUMAN_EVAL = {
    "prompt": 'def add(a, b):\n    """The sum."""\n', "entry_point": "add",
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n"
}  # fmt: skip
MBPP = {"test_list": ["assert double(2) == 4", "assert double(0) == 0"], "test_imports": ["import math"]}


def evaluate(step, said, columns, **settings):
    rows = [{"messages": [message("user", asked)], "columns": columns} for asked in said]
    with scripted_endpoint(said, step.work) as subject:
        return PassAtK(PassAtKSettings(**settings)).evaluate(subject, dataset(step.work / "rows", rows, "dataset/prompt"), step)


@pytest.mark.parametrize(("n", "c", "k"), [(1, 0, 1), (1, 1, 1), (5, 2, 1), (5, 2, 3), (6, 4, 3), (10, 0, 10), (4, 4, 2)])
def test_it_is_the_share_of_the_draws_that_hold_a_right_answer(n, c, k):
    draws = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_programs_are_run_against_their_tests(local_step):
    said = {
        "a": "So:\n```python\ndef double(x):\n    return 2 * x\n```",
        "b": "def double(x):\n    return x + 2",
        "c": "import os; os.fork()",
    }
    found = evaluate(local_step(), said, MBPP)
    assert [sample["solved"] for sample in found.samples] == [1, 0, 0]
    assert found.metrics["pass@1"] == pytest.approx(1 / 3)
    assert found.metrics["pass@1/low"] < 1 / 3 < found.metrics["pass@1/high"]


def test_several_answers_to_a_problem_are_asked_with_seeds_of_their_own(local_step):
    found = evaluate(local_step(), {"a": "7", "b": "8"}, {}, reward={"regex": {"pattern": "7"}}, num_samples=3, k=[1, 3], temperature=0.8)
    assert [sample["solved"] for sample in found.samples] == [3, 0]
    assert (found.metrics["pass@1"], found.metrics["pass@3"]) == (0.5, 0.5)


def test_a_reward_that_fails_is_no_wrong_answer(local_step):
    with pytest.raises(TunesmithError, match="TS-EVAL-001"):
        evaluate(local_step(), {"a": "7"}, {}, reward="exact")  # the row has no column `answer`
    found = evaluate(local_step(), {"a": "7", "b": "7"}, {"answer": "7"}, reward="exact")
    assert found.metrics["pass@1"] == 1.0


def test_rows_of_humaneval_and_mbpp_have_tests():
    row = columns({"columns": HUMAN_EVAL})
    assert row["tests"][0].endswith("check(add)")
    assert columns({"columns": MBPP})["tests"] == ["import math\nassert double(2) == 4", "import math\nassert double(0) == 0"]
    assert completion("    return a + b", HUMAN_EVAL["prompt"], row) == HUMAN_EVAL["prompt"] + "    return a + b"
    whole = "```python\ndef add(a, b):\n    return a + b\n```"
    assert completion(whole, HUMAN_EVAL["prompt"], row) == whole


@pytest.mark.parametrize("settings", [{"k": [2]}, {"k": []}, {"num_samples": 2}, {"num_samples": 9, "temperature": 1.0, "k": [9]}])
def test_what_can_t_be_told_is_refused(settings):
    with pytest.raises(UserError, match="TS-EVAL-005"):
        PassAtK(PassAtKSettings(**settings))
