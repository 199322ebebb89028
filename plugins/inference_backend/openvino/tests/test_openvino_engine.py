"""The real library with a real model, in an isolated environment, kept up by the verb."""

from __future__ import annotations

import contextlib
import json
import math
import os
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

import tunesmith
import tunesmith_models
import tunesmith_openvino
from tunesmith.contracts import Artifact
from tunesmith_openvino.exporter import OpenVinoExporter
from tunesmith_openvino.settings import OpenVinoExportSettings
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.serving import serving

pytestmark = pytest.mark.engines

FRANCE = "The capital of France is"
PROMPTS = (
    FRANCE, "Once upon a time", "def add(a, b):", "Water boils at", "1, 2, 3, 4,", "C'est la", "The opposite of hot is", "Dear Sir or",
)  # fmt: skip
#: The greatest distance, over these prompts, of the first token's log-probability from the default backend's in float32. Seen: see README.
FLOAT32, BFLOAT16, INT8 = 0.001, 0.1, 0.4
SOURCES = os.pathsep.join(str(Path(module.__file__).parents[1]) for module in (tunesmith, tunesmith_models, tunesmith_openvino))
ASK = """
import json, sys
from tunesmith_openvino.log_probs import log_probs
print(json.dumps([one.tolist() for one in log_probs(sys.argv[1], json.loads(sys.argv[2]))]))
"""


@pytest.fixture(scope="module")
def client(server: Any) -> Any:
    return server.client()


@pytest.fixture(scope="module")
def reference(smollm2: Artifact, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, float]]:
    """Of each prompt: the 20 likeliest first tokens and their log-probabilities, by the default backend in float32."""
    from tunesmith_transformers.backend import TransformersBackend
    from tunesmith_transformers.settings import TransformersSettings

    backend = TransformersBackend(TransformersSettings(dtype="float32", max_model_len=512, kv_cache_gib=0.25))
    with serving(backend, smollm2, tmp_path_factory.mktemp("reference")) as running:
        asked = {"model": "bot", "max_tokens": 1, "temperature": 0, "logprobs": 20}
        said = [running.client().completions.create(prompt=prompt, **asked) for prompt in PROMPTS]
    return [one.choices[0].logprobs.top_logprobs[0] for one in said]


def distance(client: Any, reference: list[dict[str, float]]) -> float:
    """The greatest over the prompts; of a token that is none of the likeliest, without end."""
    found = []
    for prompt, likeliest in zip(PROMPTS, reference, strict=True):
        (choice,) = client.completions.create(model="bot", prompt=prompt, max_tokens=1, temperature=0, logprobs=0).choices
        (token,), (logprob,) = choice.logprobs.tokens, choice.logprobs.token_logprobs
        found.append(abs(logprob - likeliest.get(token, -math.inf)))
    return max(found)


def test_it_completes_chats_and_streams(client: Any) -> None:
    asked = {"model": "bot", "prompt": FRANCE, "max_tokens": 4, "temperature": 0}
    said = client.completions.create(**asked)
    assert said.choices[0].text.startswith(" Paris")
    assert "".join(part.choices[0].text for part in client.completions.create(**asked, stream=True)) == said.choices[0].text
    chat = {"model": "bot", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 12, "temperature": 1.0, "seed": 5}
    alone = [client.chat.completions.create(**chat).choices[0].message.content for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:  # a seed is its own request's, whoever is beside it
        seeds = [5, *range(6, 12), 5]
        among = list(pool.map(lambda seed: client.chat.completions.create(**{**chat, "seed": seed}).choices[0].message.content, seeds))
    assert {*alone, among[0], among[-1]} == {alone[0]}
    assert len(set(among)) > 2


def test_the_first_tokens_log_probability_is_the_default_backends(client: Any, reference: list[dict[str, float]]) -> None:
    found = distance(client, reference)
    print(f"float32: {found:.6f}")
    assert found < FLOAT32


@pytest.mark.parametrize(("settings", "most"), [({"dtype": "bfloat16"}, BFLOAT16), ({"dtype": "float32", "weight_format": "int8"}, INT8)])
def test_other_types_are_within_a_stated_distance(
    serve: Any, reference: list[dict[str, float]], settings: dict[str, str], most: float
) -> None:
    with serve(max_model_len=512, kv_cache_gib=0.25, **settings) as running:
        found = distance(running.client(), reference)
    print(f"{settings}: {found:.4f}")
    assert FLOAT32 / 100 < found < most


@pytest.mark.parametrize(
    "wish",
    [{"logit_bias": {"5": 1}}, {"logprobs": 1}, {"echo": True, "max_tokens": 0}, {"prompt": "a " * 2000},
     {"extra_body": {"response_format": {"type": "json_object"}}}],
)  # fmt: skip
def test_what_it_can_not_do_is_refused_and_costs_nobody_else_anything(client: Any, wish: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError):
        client.completions.create(**{"model": "bot", "prompt": FRANCE, "max_tokens": 4, **wish})
    assert client.completions.create(model="bot", prompt=FRANCE, max_tokens=1, temperature=0).choices[0].text == " Paris"


def test_a_client_that_hangs_up_frees_its_slot(server: Any) -> None:
    asked = {"model": "bot", "prompt": "x", "max_tokens": 480, "stream": True, "extra_body": {"ignore_eos": True}}
    with server.client().completions.create(**asked) as stream:
        next(iter(stream))
    until = time.monotonic() + 5
    while "tunesmith_sequences_running 0.0" not in httpx.get(f"{server.root}/metrics").text:
        assert time.monotonic() < until, "it goes on for nobody"
        time.sleep(0.1)


def pipelines(server: Any) -> list[int]:
    """Processes that have the step's converted model open or mapped, and are its pipeline."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(server.step.work) in (process / "maps").read_text():
                found.append(int(process.name))
    return found


def test_a_pipeline_that_is_killed_is_started_again_and_running_answers_end_before_the_server_does(serve: Any) -> None:
    with serve(dtype="float32", max_model_len=512, kv_cache_gib=0.25) as server, ThreadPoolExecutor(1) as pool:
        (pipeline,) = pipelines(server)
        os.kill(pipeline, signal.SIGKILL)
        until = time.monotonic() + 120
        while pipelines(server) in ([], [pipeline]):
            assert time.monotonic() < until
            time.sleep(0.5)
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{server.root}/health").status_code == 200:
                    break
            assert time.monotonic() < until
            time.sleep(0.5)
        asked = {"model": "bot", "prompt": FRANCE, "max_tokens": 60, "temperature": 0, "stream": True}
        stream = server.client().completions.create(**asked, extra_body={"ignore_eos": True})
        next(stream)
        rest = pool.submit(lambda: list(stream))
        server.stop()
        assert rest.result(60)[-1].choices[0].finish_reason == "length"
        assert server.failure is None


def test_an_exported_model_computes_what_its_checkpoint_does_and_is_served_as_it_is(
    serve: Any, interpreter: Path, smollm2: Artifact, reference: list[dict[str, float]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(sys, "executable", str(interpreter))
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    step = LocalStep.make(tmp_path)
    result = OpenVinoExporter(OpenVinoExportSettings()).export(smollm2, step.output, step)
    assert result.metrics["bytes"] == (step.output / "openvino_model.bin").stat().st_size
    ids = [[504, 3575, 282, 4649, 314], [1, 9690, 198]]
    said = subprocess.run([str(interpreter), "-c", ASK, str(step.output), json.dumps(ids)], capture_output=True, text=True, check=True)
    theirs = AutoModelForCausalLM.from_pretrained(smollm2.path, dtype=torch.float32)
    for row, ours in zip(ids, json.loads(said.stdout.splitlines()[-1]), strict=True):
        with torch.no_grad():
            expected = theirs(torch.tensor([row])).logits[0].log_softmax(-1)
        torch.testing.assert_close(torch.tensor(ours), expected, rtol=0, atol=0.01)
    with serve(
        Artifact("model/openvino", step.output), dtype="float32", kv_cache_dtype="float32", max_model_len=512, kv_cache_gib=0.25
    ) as up:
        assert distance(up.client(), reference) < FLOAT32
    assert not list(step.work.glob("openvino-*"))
