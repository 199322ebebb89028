"""The environment `openenv`: a session on an OpenEnv server (0.10) for each episode, by its own client."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith_openenv.app_server import served
from tunesmith_openenv.settings import OpenEnvSettings
from tunesmith_rewards.api import Observation, Opening, ToolCall, tool_calls

_OWN = ("done", "reward", "metadata")  # fields of every observation, which are told apart from what there is to read


class OpenEnvironment:
    """
    Raises:
        UserError: TS-REWARD-016 without a server, or where the application does not come up.
    """

    def __init__(self, settings: OpenEnvSettings) -> None:
        if bool(settings.base_url) == bool(settings.app):
            raise UserError("TS-REWARD-016", "the environment `openenv` needs a server", fix="Set `base_url` or `app`, and not both.")
        self.settings = settings
        try:
            self._url = settings.base_url or served(settings.app)
        except (ImportError, AttributeError, RuntimeError, OSError) as error:
            why = f"{type(error).__name__}: {error}"
            fix = "Install the package in the environment's Python, and write `app` as module:attribute."
            raise UserError("TS-REWARD-016", f"the application {settings.app} can't be served", why=why, fix=fix) from error
        self._client: Any = None

    def reset(self, row: Mapping[str, Any], seed: int) -> Opening:
        if self._client is None:
            from openenv import GenericEnvClient

            client = GenericEnvClient(base_url=self._url).sync()
            client.connect()
            self._client = client
        given = {name: row[name] for name in self.settings.columns if name in row}
        said = self._client.reset(seed=seed, **given)
        *before, last = row["messages"]
        text = self._text(said.observation)
        opening = [*before, {**last, "content": f"{last['content']}\n\n{text}" if text else last["content"]}]
        return Opening(opening, self._tools() if self.settings.tools else ())

    def step(self, answer: str) -> Observation:
        calls = tool_calls(answer) if self.settings.tools else []
        if calls:
            return self._called(calls)
        said = self._client.step(filled(self.settings.action, answer))
        messages = [] if said.done else [{"role": "user", "content": self._text(said.observation)}]
        return Observation(messages, said.reward, bool(said.done))

    def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            with contextlib.suppress(Exception):
                client.close()

    def _called(self, calls: Sequence[ToolCall]) -> Observation:
        messages, rewards, done = [], [], False
        for call in calls:
            action = {"type": "call_tool", "tool_name": call.name, "arguments": dict(call.arguments)}
            said = self._client.step(action)
            messages.append({"role": "tool", "name": call.name, "content": result(said.observation)})
            rewards += [] if said.reward is None else [float(said.reward)]
            done = bool(said.done)
            if done:
                break
        return Observation([] if done else messages, sum(rewards) if rewards else None, done)

    def _tools(self) -> list[dict[str, Any]]:
        """As chat templates take them."""
        found = self._client.step({"type": "list_tools"}).observation.get("tools", [])
        return [
            {"type": "function", "function": {"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}}
            for tool in found
        ]

    def _text(self, observation: Mapping[str, Any]) -> str:
        if self.settings.text:
            return str(observation.get(self.settings.text, ""))
        shown = {name: value for name, value in observation.items() if name not in _OWN}
        return json.dumps(shown, ensure_ascii=False) if shown else ""


def result(observation: Mapping[str, Any]) -> str:
    """What a tool says, as text: of a result of MCP its texts."""
    if error := observation.get("error"):
        return f"error: {error.get('message', error) if isinstance(error, Mapping) else error}"
    found = observation.get("result")
    if isinstance(found, Mapping):
        if "data" in found and found["data"] is not None:
            return str(found["data"])
        texts = [part["text"] for part in found.get("content", ()) if isinstance(part, Mapping) and part.get("type") == "text"]
        return "\n".join(texts) if texts else json.dumps(found, ensure_ascii=False)
    return str(found)


def filled(action: Any, answer: str) -> Any:
    """The action with the answer in its texts."""
    if isinstance(action, str):
        return action.replace("{answer}", answer)
    if isinstance(action, Mapping):
        return {name: filled(value, answer) for name, value in action.items()}
    return [filled(value, answer) for value in action] if isinstance(action, list) else action
