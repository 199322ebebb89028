"""OpenEnv itself, in its environment: applications by its own interfaces, served by it, and played by its client."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_rewards.api import EnvironmentRunner, read_environment
from tunesmith_sdk.testing.environments import environment_of

pytestmark = [pytest.mark.slow, pytest.mark.isolated, pytest.mark.timeout(1800)]
CALL = '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}</tool_call>'
ROW = {"messages": [{"role": "user", "content": "Find it."}], "highest": 3}


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    """``play(settings)``: a runner in OpenEnv's environment."""
    built = environment_of("tunesmith_openenv", tmp_path_factory.mktemp("environments"))
    site = next(Path(built.python).parents[1].glob("lib/python*/site-packages"))
    (site / "applications_of_tests.pth").write_text(str(Path(__file__).parent))  # as if their package were installed
    return lambda **settings: EnvironmentRunner(
        read_environment({"openenv": settings}), python=str(built.python), timeout=300, max_failed_share=1
    )


def test_an_environment_with_an_action_of_its_own_is_played(play):
    with play(app="games:numbers", text="hint", columns=["highest"]) as runner:
        opened = runner.reset([(ROW, 1), (ROW, 1), (ROW, 2)])
        assert {reply.messages[0]["content"] for reply in opened.values()} == {"Find it.\n\nFrom 1 to 3."}
        first = runner.step({0: "0", 1: "0"})
        assert [(one.reward, one.messages[0]["content"]) for one in first.values()] == [(-0.1, "No.")] * 2
        assert "no such move" in runner.step({1: "break"})[1].failure
        found = next(said for guess in "123" if (said := runner.step({0: guess})[0]).done)
        assert found.reward == 1.0
        assert runner.end([2])[2].reward is None


def test_tools_of_mcp_are_declared_and_called(play):
    with play(app="games:sums", tools=True) as runner:
        (opened,) = runner.reset([(ROW, 1)]).values()
        assert opened.tools[0]["function"]["name"] == "add"
        said = runner.step({0: CALL})[0]
        assert said.messages == [{"role": "tool", "name": "add", "content": "5"}]
