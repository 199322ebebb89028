"""vLLM as a training step's sampler: what is asked of it, and what its answers have to be. The server is a fake that speaks its routes."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact, UserError
from tunesmith_serve.updatable import EngineFailed, SamplingOptions
from tunesmith_vllm import policy_weights
from tunesmith_vllm.lora_adapters import check_policy
from tunesmith_vllm.policy_engine import PolicyEngine
from tunesmith_vllm.policy_token import HEADER
from tunesmith_vllm.settings import VllmSettings

OPTIONS = SamplingOptions(2, 4, 0.7, ("\n\n",), (2,))


class FakeVllm(BaseHTTPRequestHandler):
    """Answers the routes that a sampler needs, as vLLM 0.32.0 does, with tokens that say nothing."""

    server: Any

    def do_GET(self) -> None:
        names = ["bot", *self.server.adapters]
        self._say({"data": [{"id": name} for name in names]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        self.server.tokens.append((self.path, self.headers.get(HEADER)))
        if self.path == "/v1/load_lora_adapter":
            self.server.adapters.append(body["lora_name"])
        elif self.path == "/v1/unload_lora_adapter":
            self.server.adapters.remove(body["lora_name"])
        elif self.path == f"/v1/{policy_weights.ROUTE}":
            self.server.weights = body["name"]
        else:
            return self._say(self.server.answer(body))
        return self._say({})

    def _say(self, told: dict[str, Any]) -> None:
        data = json.dumps(told).encode()
        self.send_response(200)
        if self.server.weights:
            self.send_header(policy_weights.HEADER, self.server.weights)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Quiet."""


def completions(body: dict[str, Any], **changed: Any) -> dict[str, Any]:
    choice = {
        "token_ids": [5, 2], "prompt_token_ids": body["prompt"], "finish_reason": "stop",
        "logprobs": {"token_logprobs": [-1.5, -0.25]},
    }  # fmt: skip
    return {"model": body["model"], "choices": [{"index": at, **choice, **changed} for at in range(body["n"])]}


@pytest.fixture
def server() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), FakeVllm)
    server.adapters, server.asked, server.tokens, server.answer = [], [], [], completions
    server.weights = ""
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_token_ids_go_in_and_come_out_with_their_log_probabilities_and_the_version(server: Any, tmp_path: Path) -> None:
    engine = PolicyEngine()
    engine.load(server.url, Artifact("adapter/peft", tmp_path), 3)
    found = engine.complete(server.url, [[1, 7], [1, 8, 9]], [11, 12], OPTIONS)
    assert [len(own) for own in found] == [2, 2]
    assert {(one.version, *one.tokens, *one.log_probs, one.finished) for own in found for one in own} == {(3, 5, 2, -1.5, -0.25, True)}
    asked = sorted((body for path, body in server.asked if path == "/v1/completions"), key=lambda body: body["seed"])
    assert [body["prompt"] for body in asked] == [[1, 7], [1, 8, 9]]
    for body in asked:
        assert (body["n"], body["max_tokens"], body["temperature"], body["stop"], body["stop_token_ids"]) == (2, 4, 0.7, ["\n\n"], [2])
        assert body["return_token_ids"]
        assert body["logprobs"] == 0


def test_a_version_that_comes_again_has_another_name_and_the_old_adapter_is_unloaded(server: Any, tmp_path: Path) -> None:
    engine, names = PolicyEngine(), []
    for version in (0, 1, 1):
        engine.load(server.url, Artifact("adapter/peft", tmp_path), version)
        names += server.adapters
    assert len(server.adapters) == 1
    assert len(set(names)) == 3
    assert engine.complete(server.url, [[1]], [0], OPTIONS)[0][0].version == 1


def test_only_what_changes_the_adapter_is_sent_with_the_token(server: Any, tmp_path: Path) -> None:
    engine = PolicyEngine()
    for version in (0, 1):
        engine.load(server.url, Artifact("adapter/peft", tmp_path), version)
    engine.complete(server.url, [[1]], [0], OPTIONS)
    told = dict(server.tokens)
    assert told == {"/v1/load_lora_adapter": engine.token, "/v1/unload_lora_adapter": engine.token, "/v1/completions": None}
    assert engine.token not in json.dumps(server.asked)
    assert PolicyEngine().token != engine.token


def test_whole_weights_take_the_place_of_the_models_and_an_adapter_after_them_is_of_the_base(server: Any, tmp_path: Path) -> None:
    engine = PolicyEngine()
    engine.base = "/the/base"
    engine.load(server.url, Artifact("model/hf", tmp_path), 5)
    assert {one.version for own in engine.complete(server.url, [[1]], [0], OPTIONS) for one in own} == {5}
    assert server.asked[-1][1]["model"] == "bot"
    assert (server.asked[0][0], server.asked[0][1]["path"]) == (f"/v1/{policy_weights.ROUTE}", str(tmp_path))
    assert dict(server.tokens)[f"/v1/{policy_weights.ROUTE}"] == engine.token
    engine.load(server.url, Artifact("adapter/peft", tmp_path), 0)
    assert server.asked[-2][1] == {"path": "/the/base", "name": ""}
    assert engine.complete(server.url, [[1]], [0], OPTIONS)[0][0].version == 0


def test_an_engine_that_was_started_anew_has_not_the_weights_that_it_was_given(server: Any, tmp_path: Path) -> None:
    engine = PolicyEngine()
    engine.load(server.url, Artifact("model/hf", tmp_path), 5)
    server.weights = ""
    with pytest.raises(EngineFailed, match="started anew"):
        engine.complete(server.url, [[1]], [0], OPTIONS)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"prompt_token_ids": [1]}, "other tokens than it was given"),
        ({"logprobs": {"token_logprobs": [-1.0]}}, "2 tokens with 1 log-probabilities"),
        ({"logprobs": None}, "makes no sense"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_is_told(server: Any, tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    engine = PolicyEngine()
    engine.load(server.url, Artifact("adapter/peft", tmp_path), 0)
    server.answer = lambda body: completions(body, **changed)
    with pytest.raises(EngineFailed, match=said):
        engine.complete(server.url, [[1, 7]], [0], OPTIONS)


def test_the_version_is_the_one_that_the_engine_tells(server: Any, tmp_path: Path) -> None:
    engine = PolicyEngine()
    engine.load(server.url, Artifact("adapter/peft", tmp_path), 4)
    server.answer = lambda body: completions(body) | {"model": "policy-2-9"}
    assert {one.version for own in engine.complete(server.url, [[1]], [0], OPTIONS) for one in own} == {2}


def test_an_engine_that_is_gone_or_was_given_nothing_is_told(server: Any, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="no weights"):
        PolicyEngine().complete(server.url, [[1]], [0], OPTIONS)
    with pytest.raises(EngineFailed, match="refused"):
        PolicyEngine().load("http://127.0.0.1:9/v1", Artifact("adapter/peft", tmp_path), 0)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"r": 32}, r"rank is 32.*max_lora_rank. is 16"),
        ({"use_dora": True}, "no DoRA"),
        ({"init_lora_weights": "pissa"}, "base was changed"),
    ],
)
def test_an_adapter_that_it_would_compute_otherwise_is_refused(tmp_path: Path, config: dict[str, Any], said: str) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 8} | config))
    with pytest.raises(UserError, match="TS-SERVE-065") as caught:
        check_policy(Artifact("adapter/peft", tmp_path), VllmSettings())
    assert re.search(said, caught.value.why)


def test_whole_weights_that_it_would_round_are_refused(tmp_path: Path) -> None:
    check_policy(Artifact("model/hf", tmp_path), VllmSettings())
    with pytest.raises(UserError, match="TS-SERVE-065") as caught:
        check_policy(Artifact("model/hf", tmp_path), VllmSettings(quantization="fp8"))
    assert "quantization: fp8" in caught.value.why
