"""The real vLLM on a processor, kept up by the kernel; transformers computes the same model beside it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tunesmith.contracts import Artifact, TunesmithError

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1200)]

FRANCE = "The capital of France is"


@pytest.fixture(scope="module")
def server(serve: Any) -> Any:
    with serve() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Any) -> Any:
    return server.client()


def test_it_completes_chats_and_streams(client: Any):
    said = client.completions.create(model="bot", prompt=FRANCE, max_tokens=4, temperature=0)
    assert said.choices[0].text.startswith(" Paris")
    chat = client.chat.completions.create(
        model="bot", messages=[{"role": "user", "content": "Hello!"}], max_tokens=8, logprobs=True, top_logprobs=2
    )
    assert [len(token.top_logprobs) for token in chat.choices[0].logprobs.content] == [2] * chat.usage.completion_tokens
    stream = client.completions.create(model="bot", prompt=FRANCE, max_tokens=4, temperature=0, stream=True)
    parts = [part.choices[0].text for part in stream]
    assert len(parts) > 2
    assert "".join(parts) == said.choices[0].text


def test_it_knows_the_model_by_the_steps_name_alone(server: Any, client: Any):
    assert [model.id for model in client.models.list()] == ["bot"]
    with pytest.raises(openai.NotFoundError):
        client.completions.create(model="other", prompt="x", max_tokens=1)
    root = server.url.removesuffix("/v1")
    assert httpx.get(f"{root}/health").status_code == 200
    assert "vllm:" in httpx.get(f"{root}/metrics").text


@pytest.mark.parametrize("max_tokens", [0, 1])
def test_an_echo_has_the_log_probabilities_that_transformers_computes(client: Any, model: Artifact, max_tokens: int):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ids = AutoTokenizer.from_pretrained(model.path)("C'est à Paris, naïvely: 你好 🦊. The capital of France is Paris.").input_ids
    reply = client.completions.create(model="bot", prompt=ids, max_tokens=max_tokens, echo=True, logprobs=1)
    told = reply.choices[0].logprobs.token_logprobs
    assert told[0] is None
    assert len(told) == len(ids) + max_tokens
    reference = AutoModelForCausalLM.from_pretrained(model.path, dtype=torch.float32)
    with torch.no_grad():
        logits = reference(torch.tensor([ids])).logits[0].log_softmax(-1)
    wanted = [float(logits[place, token]) for place, token in enumerate(ids[1:])]
    assert sum(told[1 : len(ids)]) / len(wanted) == pytest.approx(sum(wanted) / len(wanted), rel=0.02)
    assert all(abs(a - b) < 0.15 + 0.05 * abs(b) for a, b in zip(told[1 : len(ids)], wanted, strict=True))  # it computes in bfloat16


def test_answers_are_under_way_together(client: Any):
    def ask(_: int) -> str:
        return client.completions.create(model="bot", prompt=FRANCE, max_tokens=4, temperature=0).choices[0].text

    with ThreadPoolExecutor(8) as pool:
        assert all(text.startswith(" Paris") for text in pool.map(ask, range(8)))


def test_a_client_that_hangs_up_frees_its_slot(server: Any):
    asked = {"model": "bot", "prompt": FRANCE, "max_tokens": 400, "stream": True, "extra_body": {"ignore_eos": True}}
    with server.client().completions.create(**asked) as stream:
        next(iter(stream))
    metrics = server.url.removesuffix("/v1") + "/metrics"
    until = time.monotonic() + 5  # a second of an idle machine
    while not re.search(r"^vllm:num_requests_running\S* 0\.0$", httpx.get(metrics).text, re.MULTILINE):
        assert time.monotonic() < until, "it goes on for nobody"
        time.sleep(0.1)


def test_running_answers_end_before_the_server_does(serve: Any):
    with serve() as server, ThreadPoolExecutor(1) as pool:
        asked = {"model": "bot", "prompt": FRANCE, "max_tokens": 16, "temperature": 0, "stream": True, "extra_body": {"ignore_eos": True}}
        stream = server.client().completions.create(**asked)
        next(stream)
        rest = pool.submit(lambda: list(stream))
        server.stop()
        assert rest.result(60)[-1].choices[0].finish_reason == "length"
        assert server.failure is None


def test_an_engine_that_can_not_start_is_quoted(serve: Any, tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "abacus", "architectures": ["AbacusForCausalLM"]}')
    with pytest.raises(TunesmithError, match="TS-SERVE-006") as caught, serve(Artifact("model/hf", tmp_path)):
        raise AssertionError("unreachable")
    assert "abacus" in caught.value.why.lower()


SERVES = """
import sys
from pathlib import Path
import tunesmith
import tunesmith_serve
import tunesmith_vllm
from tunesmith.contracts import Artifact
from tunesmith_serve import verb as serve
from tunesmith_serve.settings import ServeSettings
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.serving import Elsewhere
from tunesmith_vllm.backend import VllmBackend
from tunesmith_vllm.settings import VllmSettings
folder, model, python = sys.argv[1:]
packages = (tunesmith, tunesmith_serve, tunesmith_vllm)
backend = Elsewhere(VllmBackend(VllmSettings(max_model_len=512, kv_cache_gib=0.25)), Path(python), packages)
step = LocalStep.make(
    Path(folder), inputs={"model": Artifact("model/hf", Path(model))}, settings=ServeSettings(),
    providers={"inference_backend": backend},
)
told = step.ready
step.ready = lambda **facts: (told(**facts), print("ready", flush=True))
serve.run(step)
"""


def test_a_worker_that_is_killed_leaves_no_process_of_vllms(python: str, model: Artifact, tmp_path: Path, processes_below: Any):
    command = [sys.executable, "-c", SERVES, str(tmp_path), str(model.path), python]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        assert len(processes_below(tmp_path)) >= 4  # the worker; vLLM's server, scheduler and worker
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        end = time.monotonic() + 60
        while processes_below(tmp_path) and time.monotonic() < end:
            time.sleep(0.2)
    assert processes_below(tmp_path) == []
