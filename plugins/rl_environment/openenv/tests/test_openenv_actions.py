"""What answers become, and what is read of observations, with a client that is a fake: OpenEnv has an environment of its own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tunesmith.errors import UserError
from tunesmith_openenv.environment import OpenEnvironment, filled, result
from tunesmith_openenv.settings import OpenEnvSettings

ROW = {"messages": [{"role": "system", "content": "Play."}, {"role": "user", "content": "Find it."}], "highest": 3}
CALL = '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}</tool_call>'


class FakeClient:
    """Notes what it is asked, and says what it was told to."""

    def __init__(self, *replies):
        self.replies, self.asked, self.closed = list(replies), [], False

    def reset(self, **given):
        self.asked.append(given)
        return self.replies.pop(0)

    def step(self, action):
        self.asked.append(action)
        return self.replies.pop(0)

    def close(self):
        self.closed = True


def said(observation, reward=None, done=False):
    return SimpleNamespace(observation=observation, reward=reward, done=done)


def environment(client, **settings):
    found = OpenEnvironment(OpenEnvSettings(base_url="http://localhost:1", **settings))
    found._client = client
    return found


def test_an_answer_is_an_action_and_an_observation_is_read():
    client = FakeClient(said({"hint": "From 1 to 3."}), said({"hint": "No."}, -0.1), said({"hint": "Yes."}, 1.0, True))
    played = environment(client, text="hint", columns=["highest", "lowest"], action={"move": {"to": "{answer}!"}, "fast": True})
    assert played.reset(ROW, 7).messages == [ROW["messages"][0], {"role": "user", "content": "Find it.\n\nFrom 1 to 3."}]
    first, last = played.step("2"), played.step("3")
    assert (first.messages, first.reward, first.done) == ([{"role": "user", "content": "No."}], -0.1, False)
    assert (last.messages, last.reward, last.done) == ([], 1.0, True)
    assert client.asked == [{"seed": 7, "highest": 3}, {"move": {"to": "2!"}, "fast": True}, {"move": {"to": "3!"}, "fast": True}]
    played.close()
    assert client.closed


def test_without_a_field_all_of_an_observation_is_read_but_what_is_told_apart():
    client = FakeClient(said({"done": False, "reward": 0.0, "metadata": {}}), said({"board": [1, 2], "reward": 0.5, "metadata": {"a": 1}}))
    played = environment(client)
    assert played.reset(ROW, 1).messages == ROW["messages"]
    assert played.step("x").messages == [{"role": "user", "content": '{"board": [1, 2]}'}]


def test_tools_are_declared_and_called_in_their_order_until_it_is_done():
    tool = {"name": "add", "description": "Adds.", "input_schema": {"type": "object"}}
    client = FakeClient(
        said({}),
        said({"tools": [tool]}),
        said({"result": {"data": 5}}, 0.25),
        said({"error": {"message": "no such tool"}}),
        said({}, 1.0, True),
    )
    played = environment(client, tools=True)
    assert played.reset(ROW, 1).tools == [
        {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}}
    ]
    both = played.step(CALL + CALL.replace("add", "sub"))
    assert [one["content"] for one in both.messages] == ["5", "error: no such tool"]
    assert (both.reward, both.done) == (0.25, False)
    assert client.asked[2] == {"type": "call_tool", "tool_name": "add", "arguments": {"a": 2, "b": 3}}
    last = played.step(CALL + CALL)
    assert (last.messages, last.reward, last.done) == ([], 1.0, True)


def test_results_of_tools_are_texts():
    assert result({"result": {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}}) == "a\nb"
    assert result({"result": "plain"}) == "plain"
    assert result({"result": {"x": 1}}) == '{"x": 1}'
    assert result({"error": "gone"}) == "error: gone"
    assert filled({"a": ["{answer}", 1]}, "x") == {"a": ["x", 1]}


@pytest.mark.parametrize("settings", [{}, {"base_url": "http://a", "app": "b:c"}, {"app": "no_such_module:app"}])
def test_without_one_server_it_is_refused(settings):
    with pytest.raises(UserError, match="TS-REWARD-016"):
        OpenEnvironment(OpenEnvSettings(**settings))
