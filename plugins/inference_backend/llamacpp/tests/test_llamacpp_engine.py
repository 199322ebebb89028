"""The real library with a real model, in an isolated environment, kept up by the kernel."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tunesmith.contracts import Artifact, TunesmithError
from tunesmith_sdk.local_step import LocalStep

pytestmark = pytest.mark.isolated

FRANCE = "The capital of France is"
TALK = (
    "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\nThe capital of France is Paris.<|im_end|>\n"
    "<|im_start|>user\nIn other words? 你好 🦊<|im_end|>\n<|im_start|>assistant\nC'est à Paris, naïvely: 巴黎 🎉.<|im_end|>\n"
)


@pytest.fixture(scope="module")
def client(server: Any) -> Any:
    return server.client()


@pytest.fixture(scope="module")
def transformers_model(gguf: Artifact, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The same weights, unpacked, in transformers; and the tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tunesmith_dequantize.exporter import Dequantizer
    from tunesmith_dequantize.settings import DequantizeSettings

    step = LocalStep.make(tmp_path_factory.mktemp("hf"))
    Dequantizer(DequantizeSettings("float32")).export(gguf, step.output, step)
    return AutoModelForCausalLM.from_pretrained(step.output, dtype="float32").eval(), AutoTokenizer.from_pretrained(step.output)


def test_it_completes_chats_and_streams(client: Any) -> None:
    asked = {"model": "bot", "prompt": FRANCE, "max_tokens": 4, "temperature": 0}
    said = client.completions.create(**asked)
    assert said.choices[0].text.startswith(" Paris")
    chat = client.chat.completions.create(
        model="bot", messages=[{"role": "user", "content": "Hello!"}], max_tokens=8, logprobs=True, top_logprobs=2
    )
    assert chat.choices[0].message.role == "assistant"
    assert [len(token.top_logprobs) for token in chat.choices[0].logprobs.content] == [2] * chat.usage.completion_tokens
    parts = [
        part.choices[0].text for part in client.completions.create(model="bot", prompt=FRANCE, max_tokens=4, temperature=0, stream=True)
    ]
    assert len(parts) > 2
    assert "".join(parts) == said.choices[0].text


def test_models_health_and_metrics_are_there(server: Any, client: Any) -> None:
    assert [model.id for model in client.models.list()] == ["bot"]
    root = server.url.removesuffix("/v1")
    assert httpx.get(f"{root}/health").status_code == 200
    assert "tokens" in httpx.get(f"{root}/metrics").text


def test_answers_are_under_way_together(client: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: client.completions.create(model="bot", prompt=FRANCE, max_tokens=4, temperature=0), range(8)))
    assert all(one.choices[0].text.startswith(" Paris") for one in said)


def test_a_mistake_is_llama_cpps_own_answer(client: Any, server: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        client.completions.create(model="bot", prompt="a " * 2000, max_tokens=1)
    nonsense = httpx.post(f"{server.url}/completions", content=b'{"echo": nonsense', headers={"Content-Type": "application/json"})
    assert nonsense.status_code in (400, 500)


def test_an_echo_has_the_models_log_probabilities(client: Any, transformers_model: tuple[Any, Any]) -> None:
    """Turns that end in the middle, and tokens that end within a character, included."""
    import torch

    model, tokenizer = transformers_model
    ids = tokenizer(TALK, add_special_tokens=False)["input_ids"]
    pieces = [tokenizer.decode([token]) for token in ids]
    assert sum("�" in piece for piece in pieces) > 5
    reply = client.completions.create(model="bot", prompt=ids, max_tokens=0, echo=True, logprobs=0)
    told = reply.choices[0].logprobs.token_logprobs
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    wanted = [float(logits[place, token]) for place, token in enumerate(ids[1:])]
    assert told[0] is None
    # llama.cpp multiplies 4-bit weights with 8-bit activations, transformers in float32: places differ a little, the mean hardly
    mean = sum(told[1:]) / len(wanted)
    assert mean == pytest.approx(sum(wanted) / len(wanted), rel=0.02)
    assert all(abs(a - b) < 0.1 + 0.15 * abs(b) for a, b in zip(told[1:], wanted, strict=True))


def test_an_echo_is_what_generating_the_same_would_tell(client: Any) -> None:
    made = client.completions.create(
        model="bot", prompt=FRANCE, max_tokens=6, temperature=0, logprobs=1, extra_body={"return_tokens": True}
    )
    entries = made.choices[0].logprobs.content
    root = str(client.base_url).removesuffix("/v1/")
    prompt = httpx.post(f"{root}/tokenize", json={"content": FRANCE, "add_special": True}).json()["tokens"]
    ids = prompt + [entry["id"] for entry in entries]
    extra = {"logprob_start_len": len(prompt)}
    reply = client.completions.create(model="bot", prompt=ids, max_tokens=0, echo=True, logprobs=1, extra_body=extra)
    told = reply.choices[0].logprobs.token_logprobs
    assert told[: len(prompt)] == [None] * len(prompt)
    assert told[len(prompt) :] == pytest.approx([entry["logprob"] for entry in entries], abs=1e-3)
    assert reply.choices[0].text.startswith(FRANCE)


def test_an_echo_that_can_not_be_given_is_refused_with_the_reason(client: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="max_tokens"):
        client.completions.create(model="bot", prompt="x", max_tokens=5, echo=True)
    with pytest.raises(openai.BadRequestError, match="at most 1024"):
        client.completions.create(model="bot", prompt=[1] * 1025, max_tokens=0, echo=True, logprobs=1)


def test_a_client_that_hangs_up_frees_its_slot(serve: Any) -> None:
    with serve(parallel=1, ctx_size=4096) as server:
        host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
        body = json.dumps({"prompt": "x", "max_tokens": 4000, "stream": True, "ignore_eos": True}).encode()
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            connection.recv(100)
        asked = time.monotonic()
        server.client().completions.create(model="bot", prompt="x", max_tokens=1)
        assert time.monotonic() - asked < 20, "it waited for 4000 tokens that nobody wants"


def test_running_answers_end_before_the_server_does(serve: Any) -> None:
    with serve(parallel=2, ctx_size=512) as server, ThreadPoolExecutor(2) as pool:
        asked = {"model": "bot", "prompt": FRANCE, "max_tokens": 24, "temperature": 0, "stream": True, "extra_body": {"ignore_eos": True}}
        stream = server.client().completions.create(**asked)
        next(stream)
        rest = pool.submit(lambda: list(stream))
        server.stop()
        assert rest.result(60)[-1].choices[0].finish_reason == "length"
        assert server.failure is None


def test_a_file_that_is_no_model_is_told_in_llama_cpps_words(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"not a model" * 100)
    with pytest.raises(TunesmithError) as caught, serve(Artifact("model/gguf", tmp_path)):
        raise AssertionError("unreachable")
    assert caught.value.code == "TS-SERVE-006"
    assert "invalid magic" in caught.value.why
    assert "Traceback" not in caught.value.why
