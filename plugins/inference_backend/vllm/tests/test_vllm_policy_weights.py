"""Whole weights in the place of those that vLLM has: the route beside its own. The engine behind it is a fake that notes what is asked."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from tunesmith_vllm.policy_weights import HEADER, PolicyWeights


class FakeEngine:
    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.fails = False

    async def collective_rpc(self, method: str, kwargs: dict[str, str]) -> None:
        self.asked.append((method, kwargs))
        if self.fails:
            raise RuntimeError("no such tensor")

    async def sleep(self, level: int) -> None:
        self.asked.append(("sleep", level))

    async def wake_up(self) -> None:
        self.asked.append("wake_up")

    async def reset_prefix_cache(self) -> None:
        self.asked.append("reset_prefix_cache")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def asked(engine: FakeEngine) -> Any:
    """``asked(path, body) -> (status, headers)``; the application behind it says 200 to all."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    middleware = PolicyWeights(app)

    def ask(path: str, body: Any = None) -> tuple[int, dict[bytes, bytes]]:
        said: list[dict[str, Any]] = []
        data = json.dumps(body).encode()
        parts = [{"body": data[:5], "more_body": True}, {"body": data[5:]}]

        async def receive() -> dict[str, Any]:
            return parts.pop(0)

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        scope = {"type": "http", "path": path, "app": SimpleNamespace(state=SimpleNamespace(engine_client=engine))}
        asyncio.run(middleware(scope, receive, send))
        return int(said[0]["status"]), dict(said[0]["headers"])

    return ask


def test_the_workers_load_them_the_cache_of_prompts_is_emptied_and_each_answer_names_them(asked: Any, engine: FakeEngine) -> None:
    assert asked("/v1/completions") == (200, {})
    assert asked("/v1/policy_weights", {"path": "/new", "name": "policy-3-1"})[0] == 200
    assert engine.asked == [("reload_weights", {"weights_path": "/new"}), "reset_prefix_cache"]
    assert asked("/v1/completions") == (200, {HEADER.encode(): b"policy-3-1"})


def test_weights_that_could_not_be_loaded_are_named_by_no_answer(asked: Any, engine: FakeEngine) -> None:
    asked("/v1/policy_weights", {"path": "/new", "name": "policy-3-1"})
    engine.fails = True
    assert asked("/v1/policy_weights", {"path": "/broken", "name": "policy-4-2"})[0] == 500
    assert asked("/v1/completions") == (200, {})
    assert asked("/v1/policy_weights", {"nothing": 1})[0] == 500


def test_it_sleeps_and_is_woken_with_the_weights_that_it_had(asked: Any, engine: FakeEngine) -> None:
    asked("/v1/policy_weights", {"path": "/new", "name": "policy-3-1"})
    assert [asked(f"/v1/policy_{word}", {})[0] for word in ("sleep", "wake")] == [200, 200]
    assert engine.asked[-2:] == [("sleep", 1), "wake_up"]
    assert asked("/v1/completions") == (200, {HEADER.encode(): b"policy-3-1"})
