"""verifiers' environment, brought up once in a process, with an event loop in a thread of its own; all episodes are played on it."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

from tunesmith.errors import UserError
from tunesmith_verifiers.episode import Episode, Over

HARNESS = "tunesmith_verifiers"  # the package that exports it
_EPISODES: dict[str, Episode] = {}
_NUMBERS = itertools.count()


def episode_of(base_url: str) -> Episode:
    """The episode whose model has this address."""
    return _EPISODES[base_url.rstrip("/").split("/")[-2]]


@cache
def stage(taskset: str, config: str) -> Stage:
    """The one of these settings.

    Args:
        config: as JSON.

    Raises:
        UserError: TS-REWARD-017 where verifiers does not bring it up.
    """
    return Stage(taskset, json.loads(config))


class Stage:
    """
    Args:
        taskset: its id.
        config: the rest of the environment's configuration.
    """

    def __init__(self, taskset: str, config: Mapping[str, Any]) -> None:
        self.loop, up = asyncio.new_event_loop(), threading.Event()
        self._wrong: BaseException | None = None
        self.tasks: list[Any] = []
        threading.Thread(target=lambda: self.loop.run_until_complete(self._serve(taskset, config, up)), daemon=True).start()
        up.wait()
        if self._wrong is not None:
            raise UserError(
                "TS-REWARD-017", f"verifiers can't bring up its taskset {taskset!r}", why=f"{type(self._wrong).__name__}: {self._wrong}",
                fix="Install the package that exports it in the environment's Python, and see its `config`; `vf-eval` tries it alone.",
            ) from self._wrong  # fmt: skip

    def begin(self, number: int) -> tuple[str, Episode]:
        """An episode of a task, and its name."""
        name = str(next(_NUMBERS))
        _EPISODES[name] = episode = Episode(self.loop)
        asyncio.run_coroutine_threadsafe(self._play(name, episode, self.tasks[number]), self.loop)
        return name, episode

    def end(self, name: str) -> None:
        """It is not asked any more."""
        _EPISODES.pop(name, None)

    async def _serve(self, taskset: str, config: Mapping[str, Any], up: threading.Event) -> None:
        from aiohttp import web
        from verifiers.v1.utils.loaders import env_config_type, load_environment

        try:
            given = {**config, "taskset": {**config.get("taskset", {}), "id": taskset}}
            agent = {"runtime": {"type": "subprocess"}, **config.get("agent", {}), "harness": {"id": HARNESS}}
            kind = env_config_type(taskset, config.get("id", ""))
            self._env = load_environment(kind.model_validate({**given, "agent": agent}))
            if not self._env.taskset.bounded:
                raise ValueError("it goes on for ever; bound it in its `config`")
            self.tasks = list(self._env.taskset)
            application = web.Application()
            application.router.add_post("/{episode}/v1/chat/completions", _complete)
            runner = web.AppRunner(application)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self._port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
            async with self._env.serving():
                up.set()
                await asyncio.Event().wait()
        except BaseException as error:
            self._wrong = error
            up.set()

    async def _play(self, name: str, episode: Episode, task: Any) -> None:
        from verifiers.v1 import ModelContext
        from verifiers.v1.configs.client import EvalClientConfig

        try:
            client = EvalClientConfig(base_url=f"http://127.0.0.1:{self._port}/{name}/v1", api_key_var="TUNESMITH_NO_KEY")
            (slot,) = self._env.slots(task, 1)
            played = await self._env.run_slot(slot, ModelContext(model="tunesmith", client=client))
            if not played.ok:
                errors = [*played.errors, *(error for trace in played.traces for error in trace.errors)]
                episode.said.put(Over(None, "; ".join(str(error) for error in errors)[:300] or "verifiers tells of no reason"))
            else:
                episode.said.put(Over(sum(trace.reward for trace in played.traces)))
        except Exception as error:
            episode.said.put(Over(None, f"{type(error).__name__}: {error}"))


async def _complete(request: Any) -> Any:
    """The answer that Tunesmith gave, as an OpenAI endpoint gives it."""
    from aiohttp import web

    message = _EPISODES[request.match_info["episode"]].completion
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if message.get("tool_calls") else "stop"}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return web.json_response(
        {"id": "tunesmith", "object": "chat.completion", "created": 0, "model": "tunesmith", "choices": [choice], "usage": usage}
    )
