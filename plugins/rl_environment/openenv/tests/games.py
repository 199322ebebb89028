"""Environments of OpenEnv, written by its own interfaces, as its template has them."""

from __future__ import annotations

import random
from typing import Any
from uuid import uuid4

from fastmcp import FastMCP
from openenv.core.env_server.http_server import create_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.mcp_environment import MCPEnvironment
from openenv.core.env_server.mcp_types import CallToolAction, CallToolObservation
from openenv.core.env_server.types import Action, Observation, State


class Guess(Action):
    message: str


class Said(Observation):
    hint: str = ""


class Numbers(Environment):
    """A number to be found."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._state = State(episode_id=str(uuid4()), step_count=0)

    def reset(self, seed: int | None = None, episode_id: str | None = None, **kwargs: Any) -> Said:
        self._right = random.Random(seed).randint(1, kwargs.get("highest", 4))
        self._state = State(episode_id=episode_id, step_count=0)
        return Said(hint=f"From 1 to {kwargs.get('highest', 4)}.")

    def step(self, action: Guess, **kwargs: Any) -> Said:
        self._state.step_count += 1
        if action.message == "break":
            raise ValueError("no such move")
        if action.message.strip() == str(self._right):
            return Said(done=True, reward=1.0)
        return Said(hint="No.", reward=-0.1)

    @property
    def state(self) -> State:
        return self._state


class Sums(MCPEnvironment):
    """Two numbers to be added by a tool."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        server = FastMCP("sums")

        @server.tool
        def add(a: int, b: int) -> int:
            """Adds two numbers."""
            return a + b

        super().__init__(server)
        self._state = State(episode_id=str(uuid4()), step_count=0)

    def reset(self, seed: int | None = None, episode_id: str | None = None, **kwargs: Any) -> Observation:
        return Observation(done=False, reward=0.0)

    def _step_impl(self, action: Action, timeout_s: float | None = None, **kwargs: Any) -> Observation:
        return Observation(done=True, reward=0.0)

    @property
    def state(self) -> State:
        return self._state


numbers = create_app(Numbers, Guess, Said, env_name="numbers", max_concurrent_envs=16)
sums = create_app(Sums, CallToolAction, CallToolObservation, env_name="sums", max_concurrent_envs=16)
