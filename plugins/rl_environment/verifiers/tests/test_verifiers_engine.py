"""verifiers itself, in its environment: a taskset with a shared tool is played to its reward, broken off, and beyond its tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.errors import TunesmithError
from tunesmith_rewards.api import EnvironmentRunner, read_environment
from tunesmith_sdk.testing.environments import environment_of

pytestmark = [pytest.mark.slow, pytest.mark.isolated, pytest.mark.timeout(1800)]
CALL = '<tool_call>{"name": "abacus_add", "arguments": {"a": 3, "b": 3}}</tool_call>'


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    built = environment_of("tunesmith_verifiers", tmp_path_factory.mktemp("environments"))
    site = next(Path(built.python).parents[1].glob("lib/python*/site-packages"))
    (site / "tasksets_of_tests.pth").write_text(str(Path(__file__).parent))  # as if their package were installed
    return str(built.python)


@pytest.fixture
def played(python):
    with EnvironmentRunner(
        read_environment({"verifiers": {"taskset": "tool_sums"}}), python=python, timeout=300, max_failed_share=1
    ) as runner:
        yield runner


def test_tasks_tools_and_rewards_are_verifiers_own(played):
    opened = played.reset([({"task": 3}, 1), ({"task": 2}, 1), ({}, 1), ({"task": 9}, 1)])
    assert [reply.messages[0]["content"] for reply in list(opened.values())[:2]] == ["What is 3 + 3?", "What is 2 + 2?"]
    assert opened[0].tools[0]["function"]["name"] == "abacus_add"
    assert "there is no task 9: the taskset has 5" in opened[3].failure
    said = played.step({0: CALL, 1: "It is 5."})
    assert said[0].messages == [{"role": "tool", "content": "6", "name": "abacus_add"}]
    assert (said[1].reward, said[1].done) == (0.0, True)
    assert (played.step({0: "It is 6."})[0].reward, played.end([2])[2].reward) == (1.0, 0.0)


def test_the_same_seed_draws_the_same_task(played):
    first, second, other = played.reset([({}, 5), ({}, 5), ({}, 8)]).values()
    assert first.messages == second.messages != other.messages


def test_a_taskset_that_is_not_there_is_told(python):
    with (
        EnvironmentRunner(read_environment({"verifiers": {"taskset": "no_sums"}}), python=python) as runner,
        pytest.raises(TunesmithError) as caught,
    ):
        runner.start()
    assert caught.value.code == "TS-REWARD-017"
