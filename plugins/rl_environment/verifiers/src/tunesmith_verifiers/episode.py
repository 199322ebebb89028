"""One episode as the two sides meet in it: verifiers, which asks a model, and Tunesmith, which is the model a turn at a time."""

from __future__ import annotations

import asyncio
import json
import queue
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith_rewards.api import tool_calls


@dataclass(frozen=True)
class Asked:
    """The model is asked to go on with a conversation."""

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Over:
    """The episode is over: its reward, or why there is none."""

    reward: float | None
    failure: str = ""


class Episode:
    """
    Args:
        loop: that verifiers runs in, in another thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.said: queue.Queue[Asked | Over] = queue.Queue()
        self.completion: dict[str, Any] = {}  #: the last answer, as the endpoint gives it
        self._answer: asyncio.Future[str | None] | None = None
        self._ids = 0

    async def ask(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> bool:
        """Called by verifiers' side: waits for the model's answer, which the endpoint then has. False: no further one is wanted."""
        self._answer = self.loop.create_future()
        self.said.put(Asked([dict(message) for message in messages], list(tools)))
        answer = await self._answer
        if answer is None:
            return False
        self.completion = self._as_message(answer, bool(tools))
        return True

    def answer(self, text: str | None) -> Asked | Over:
        """Called by Tunesmith's side: what comes of an answer. None: the episode is broken off."""
        assert self._answer is not None
        self.loop.call_soon_threadsafe(self._answer.set_result, text)
        return self.said.get()

    def _as_message(self, text: str, tools: bool) -> dict[str, Any]:
        calls = tool_calls(text) if tools else []
        if not calls:
            return {"role": "assistant", "content": text}
        called = []
        for call in calls:
            self._ids += 1
            function = {"name": call.name, "arguments": json.dumps(call.arguments)}
            called.append({"id": f"call-{self._ids}", "type": "function", "function": function})
        return {"role": "assistant", "content": text.split("<tool_call>")[0].strip(), "tool_calls": called}


@dataclass
class Told:
    """What the model has been told of a conversation so far."""

    messages: list[Mapping[str, Any]] = field(default_factory=list)

    def opening(self, asked: Asked) -> list[dict[str, str]]:
        self.messages = list(asked.messages)
        return [plain(message) for message in asked.messages]

    def further(self, asked: Asked) -> list[dict[str, str]]:
        """What is new since, behind the model's own answer.

        Raises:
            ValueError: the conversation is another one now, which tokens that were sampled can't be part of.
        """
        before = len(self.messages)
        if list(asked.messages[:before]) != self.messages or [one["role"] for one in asked.messages[before : before + 1]] != ["assistant"]:
            raise ValueError(
                "the environment has rewritten what was said before: what the model wrote is no part of the conversation any more"
            )
        self.messages = list(asked.messages)
        return [plain(message) for message in asked.messages[before + 1 :]]


def plain(message: Mapping[str, Any]) -> dict[str, str]:
    """A message with a text as its content.

    Raises:
        ValueError: it has pictures or sounds.
    """
    content = message.get("content") or ""
    if not isinstance(content, str):
        other = sorted({part.get("type", "") for part in content} - {"text"})
        if other:
            raise ValueError(f"the environment's message has a part of type {other[0]}; only texts can be played")
        content = "".join(part["text"] for part in content)
    return {"role": str(message["role"]), "content": content, **({"name": str(message["name"])} if message.get("name") else {})}
