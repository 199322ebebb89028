"""Only the serving step itself may change the weights of an engine that is a sampler; where its token is told, and where it is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tunesmith.contracts import Address, Artifact
from tunesmith_vllm import policy_weights
from tunesmith_vllm.backend import VllmBackend
from tunesmith_vllm.policy_token import HEADER, PATH, TOKEN, PolicyToken
from tunesmith_vllm.settings import VllmSettings


def ask(path: str, **headers: str) -> int:
    """The status that is answered; the application behind it says 200 to all."""
    answered: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    named = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    asyncio.run(PolicyToken(app)({"type": "http", "method": "POST", "path": path, "headers": named}, receive, send))
    return int(answered[0]["status"])


CHANGES = ("load_lora_adapter", "unload_lora_adapter", "load_lora_adapter/", "policy_weights", "policy_sleep", "policy_wake")


@pytest.mark.parametrize("path", [f"/v1/{route}" for route in CHANGES])
def test_nobody_without_the_token_changes_the_weights(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv(TOKEN, "right")
    assert [ask(path), ask(path, x_tunesmith_token="wrong"), ask(path, x_tunesmith_token="right")] == [403, 403, 200]
    monkeypatch.delenv(TOKEN)
    assert [ask(path), ask(path, x_tunesmith_token="")] == [403, 403]


def test_whoever_wants_an_answer_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "right")
    assert ask("/v1/completions") == 200


def test_the_token_is_a_variable_of_the_engine_and_stands_nowhere_else(model: Artifact, local_step: Any, tmp_path: Path) -> None:
    step = local_step(settings=SimpleNamespace(shutdown_grace=30.0, updatable=True))
    made = VllmBackend(VllmSettings()).engine(model, "bot", Address("127.0.0.1", 8123), step)
    again = VllmBackend(VllmSettings()).engine(model, "bot", Address("127.0.0.1", 8123), step)
    token = made.environment[TOKEN]
    assert len(token) > 40
    assert again.environment[TOKEN] != token
    assert made.command.index(policy_weights.PATH) < made.command.index(PATH)  # the last one is asked first
    assert HEADER == "x-tunesmith-token"
    assert not [word for word in made.command if token in word]
    assert token not in str(made.facts)
    assert token not in str(step.reports.__dict__)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and token in path.read_text(errors="replace")]


def test_a_model_that_is_not_trained_meanwhile_takes_weights_from_nobody(model: Artifact, local_step: Any) -> None:
    step = local_step(settings=SimpleNamespace(shutdown_grace=30.0, updatable=False))
    made = VllmBackend(VllmSettings()).engine(model, "bot", Address("127.0.0.1", 8123), step)
    assert not {TOKEN, "VLLM_ALLOW_RUNTIME_LORA_UPDATING"} & {*made.environment}
    assert not {PATH, policy_weights.PATH} & {*made.command}
