"""The episodes that one environment's process plays: an object for each, asked one call after the other.

Calls: ``{"call": "reset", "episode": 0, "row": {...}, "seed": 1}``, ``{"call": "step", "episode": 0, "answer": "..."}``, ``{"call": "end",
"episode": 0}`` and ``{"call": "close"}`` for all. Of each but the last an answer: ``{"messages": [...], "tools": [...], "reward": null,
"done": false}``, or ``{"failure": "..."}``: the episode is over then.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunesmith_rewards.api.environment import Environment
from tunesmith_rewards.api.score import number

_OPENING, _FURTHER = ("system", "user", "assistant", "tool", "developer"), ("system", "user", "tool", "developer")


class Episodes:
    """
    Args:
        make: a new environment.
        reason: why an exception came, in one line.
    """

    def __init__(self, make: Callable[[], Environment], reason: Callable[[Exception], str]) -> None:
        self._make, self._reason = make, reason
        self._idle = [make()]
        self._playing: dict[int, Any] = {}

    def answer(self, message: Mapping[str, Any], send: Callable[[Mapping[str, Any]], None]) -> None:
        for call in message["calls"]:
            if call["call"] == "close":
                self._close()
            else:
                send(self._answered(call))

    def _answered(self, call: Mapping[str, Any]) -> dict[str, Any]:
        episode = call["episode"]
        try:
            if call["call"] == "reset":
                self._playing[episode] = self._idle.pop() if self._idle else self._make()
                said = opening(self._playing[episode].reset(call["row"], call["seed"]))
            elif call["call"] == "step":
                said = observation(self._playing[episode].step(call["answer"]))
            else:
                said = ended(self._playing[episode])
            json.dumps(said)
        except Exception as error:
            self._lose(self._playing.pop(episode, None))  # nobody knows what state it is in
            return {"failure": self._reason(error)}
        if said["done"]:
            self._idle.append(self._playing.pop(episode))
        return said

    def _close(self) -> None:
        for environment in (*self._idle, *self._playing.values()):
            self._lose(environment)
        self._idle, self._playing = [], {}

    def _lose(self, environment: Any) -> None:
        if callable(close := getattr(environment, "close", None)):
            with contextlib.suppress(Exception):
                close()


def opening(said: Any) -> dict[str, Any]:
    """As it goes over the wire.

    Raises:
        ValueError: what is wrong with it.
    """
    messages = _messages("reset", getattr(said, "messages", None), _OPENING)
    if not messages or messages[-1]["role"] == "assistant":
        raise ValueError("`reset` gave no turn for the model to answer")
    tools = list(said.tools)
    if wrong := [tool for tool in tools if not (isinstance(tool, Mapping) and isinstance(tool.get("function"), Mapping))]:
        raise ValueError(f"`reset` gave {str(wrong[0])[:60]!r} as a tool, which has no `function`")
    return {"messages": messages, "tools": tools, "reward": None, "done": False}


def observation(said: Any) -> dict[str, Any]:
    """The same of what comes of an answer."""
    messages = _messages("step", getattr(said, "messages", None), _FURTHER)
    reward, wrong = number(said.reward)
    if wrong:
        raise ValueError(f"the reward of `step`: {wrong}")
    if not messages and not said.done:
        raise ValueError("`step` gave nothing for the model to read, and is not done")
    return {"messages": messages, "tools": [], "reward": reward, "done": bool(said.done)}


def ended(environment: Any) -> dict[str, Any]:
    """What an episode that is broken off is worth."""
    end = getattr(environment, "end", None)
    reward, wrong = number(end()) if callable(end) else (None, "")
    if wrong:
        raise ValueError(f"the reward of `end`: {wrong}")
    return {"messages": [], "tools": [], "reward": reward, "done": True}


def _messages(what: str, said: Any, roles: Sequence[str]) -> list[dict[str, Any]]:
    if said is None or isinstance(said, str | Mapping):
        raise ValueError(f"`{what}` gave {str(said)[:60]!r} for messages, which is no list of them")
    found = [dict(one) if isinstance(one, Mapping) else one for one in said]
    for one in found:
        if not (isinstance(one, dict) and one.get("role") in roles and isinstance(one.get("content"), str)):
            raise ValueError(f"`{what}` gave {str(one)[:80]!r}: a message has a `role` ({', '.join(roles)}) and a text as `content`")
    return found
