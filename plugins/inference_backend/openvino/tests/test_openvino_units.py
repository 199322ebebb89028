"""What can be told without OpenVINO: its command line, how much fits, what a request becomes, what is refused, and the engine's queue."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tunesmith.contracts import Address, Artifact, UserError
from tunesmith_openvino import conversion
from tunesmith_openvino.backend import OpenVinoBackend
from tunesmith_openvino.server.__main__ import options, pipeline_options
from tunesmith_openvino.server.limits import BLOCK, blocks, longest
from tunesmith_openvino.settings import OpenVinoSettings
from tunesmith_sdk.local_step import LocalStep

CONFIG = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 320, "max_position_embeddings": 512, "dtype": "bfloat16",
}  # fmt: skip
TOKEN = 2 * 2 * 2 * 16  # numbers that a token's keys and values are


@pytest.fixture
def model(tmp_path: Path) -> Artifact:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(CONFIG))
    return Artifact("model/hf", tmp_path / "model")


def asked_of(model: Artifact, folder: Path, **settings: Any) -> Any:
    step = LocalStep.make(folder, settings=SimpleNamespace(shutdown_grace=7.0))
    engine = OpenVinoBackend(OpenVinoSettings(**settings)).engine(model, "bot", Address(port=81, allowed_hosts=("a.example",)), step)
    return options(list(engine.command[3:]))


def test_every_setting_reaches_the_server(model: Artifact, tmp_path: Path) -> None:
    given = OpenVinoSettings("float32", "int8", "int8", 3, 128, 5, 0.5, 64, False, 2)
    asked = asked_of(model, tmp_path, **dataclasses.asdict(given))
    assert {name: getattr(asked, name) for name in vars(given)} == vars(given)
    assert (asked.name, asked.port, asked.allowed_hosts, asked.shutdown_grace) == ("bot", 81, ["a.example"], 7.0)


def test_openvino_is_told_the_types_and_the_cache(model: Artifact, tmp_path: Path) -> None:
    made = pipeline_options(asked_of(model, tmp_path, dtype="float32", kv_cache_gib=0.001, max_num_seqs=2, threads=3))
    assert dict(made.properties) == {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32", "INFERENCE_NUM_THREADS": 3}
    assert made.scheduler["num_kv_blocks"] == int(0.001 * 2**30 / (TOKEN * 4 * BLOCK))
    assert made.scheduler["max_num_seqs"] == 2


def test_a_cache_in_8_bits_holds_nearly_twice_as_much() -> None:
    half, byte = (blocks(CONFIG, 0, 0.01, dtype, 512) for dtype in ("float16", "int8"))
    assert 1.2 * half < byte < 2 * half


def test_a_cache_that_holds_no_answer_is_refused() -> None:
    with pytest.raises(UserError, match="fewer than one answer of 512") as caught:
        blocks(CONFIG, 0, 0.0001, "float32", 512)
    assert caught.value.code == "TS-SERVE-005"


def test_the_longest_text_is_the_models_or_the_settings() -> None:
    assert [longest(CONFIG, asked) for asked in (0, 100, 9999)] == [512, 100, 512]
    with pytest.raises(UserError, match="does not say how long"):
        longest({}, 0)


def test_memory_is_what_was_seen_of_a_real_model() -> None:
    """SmolLM2: its processes' proportional shares were 1.55 GiB in float32 and 1.19 in bfloat16, with a cache of 0.25 GiB hardly used."""
    from tunesmith.contracts import EstimateRequest
    from tunesmith.contracts.settings import fill, schema_of
    from tunesmith_openvino.estimate import estimate

    smollm2 = {
        "model_type": "llama", "num_hidden_layers": 30, "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9,
        "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True, "max_position_embeddings": 8192, "dtype": "bfloat16",
    }  # fmt: skip
    settings = fill(schema_of(OpenVinoSettings), {"kv_cache_gib": 0.25, "max_model_len": 512})
    found = {
        dtype: estimate(EstimateRequest(smollm2, 269_060_552, settings | {"dtype": dtype}, dtypes=("float32", "bfloat16")))
        for dtype in ("float32", "bfloat16")
    }
    assert found["float32"].memory == pytest.approx((1.55 + 0.25) * 2**30, rel=0.1)
    assert found["bfloat16"].memory == pytest.approx((1.19 + 0.25) * 2**30, rel=0.1)
    small = estimate(EstimateRequest(smollm2, 269_060_552, settings | {"dtype": "float32", "weight_format": "int8"}))
    assert small.terms["weights"] == pytest.approx(found["float32"].terms["weights"] / 4, rel=0.02)


def test_a_model_that_was_exported_is_served_as_it_is(model: Artifact, tmp_path: Path) -> None:
    from tunesmith.contracts import EstimateRequest
    from tunesmith.contracts.settings import fill, schema_of
    from tunesmith_openvino.estimate import CONVERTED, estimate

    assert asked_of(dataclasses.replace(model, format=CONVERTED), tmp_path).converted == model.path
    settings = fill(schema_of(OpenVinoSettings), {"max_model_len": 512, "weight_format": "int8"})
    with pytest.raises(UserError, match="TS-SERVE-057"):
        estimate(EstimateRequest(CONFIG, 1000, settings, format=CONVERTED))


def test_a_model_that_can_not_be_converted_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "command", lambda *_: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(RuntimeError, match="status 3"):
        conversion.ensure_converted(tmp_path, tmp_path / "converted", "auto")


def test_a_server_that_is_not_up_yet_ends_at_once_when_it_is_stopped(model: Artifact, tmp_path: Path) -> None:
    program = (
        "import os, sys, tunesmith_openvino.server.__main__ as main\n"
        "def serve(*_):\n    os.kill(os.getpid(), 15)\n    raise RuntimeError('it went on')\n"
        "main.serve = serve\nmain.main()\n"
    )
    words = ["--model", str(model.path), "--converted", str(tmp_path), "--name", "bot", "--port", "1"]
    ended = subprocess.run([sys.executable, "-c", program, *words], check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_request_in_openvinos_words() -> None:
    from tunesmith_openvino.server.generation_options import generation_options
    from tunesmith_transformers.api.engines import Sampling

    greedy = generation_options(Sampling(max_tokens=3, temperature=0, repetition_penalty=1.5), {2, 5})
    assert not greedy["do_sample"]
    assert greedy["repetition_penalty"] == 1.5
    assert greedy["stop_token_ids"] == {2, 5}
    assert greedy["max_new_tokens"] == 3
    assert greedy["logprobs"] == 0
    drawn = generation_options(Sampling(temperature=0.7, top_k=9, seed=-1, ignore_eos=True, logprobs=0), {2})
    assert drawn["do_sample"]
    assert (drawn["temperature"], drawn["top_k"], drawn["rng_seed"]) == (0.7, 9, 2**63 - 1)
    assert drawn["stop_token_ids"] == set()
    assert drawn["logprobs"] == 1
    unseeded = {generation_options(Sampling(), ())["rng_seed"] for _ in range(4)}
    assert len(unseeded) == 4


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"logit_bias": {1: 2.0}}, "logit_bias"),
        ({"logprobs": 2}, "logprobs"),
        ({"prompt_logprobs": 0}, "echo"),
        ({"max_tokens": 0}, "echo"),
    ],
)
def test_what_it_can_not_do_is_refused(wish: dict[str, Any], param: str) -> None:
    from tunesmith_openvino.server.generation_options import refuse
    from tunesmith_transformers.api.engines import ApiError, Sampling

    refuse(Sampling(logprobs=0))
    with pytest.raises(ApiError, match=param) as caught:
        refuse(Sampling(**wish))
    assert (caught.value.status, caught.value.param) == (400, param)


@pytest.fixture
def told(tmp_path: Path) -> Any:
    """An engine whose pipeline the test plays: what was delivered, and the pipeline's end of the connection."""
    from tunesmith_openvino.server.engine import PipelineEngine
    from tunesmith_sdk.tiny_models import tiny_tokenizer
    from tunesmith_transformers.api.engines import Limits, Metrics, Vocabulary

    out: list[Any] = []
    arrived = threading.Condition()

    def deliver(deltas: list[Any]) -> None:
        with arrived:
            out.extend(deltas)
            arrived.notify_all()

    def heard(count: int) -> list[Any]:
        with arrived:
            assert arrived.wait_for(lambda: len(out) >= count, 20)
            return out

    engine = PipelineEngine(Limits(batch=2, queue=1, length=64), {2}, deliver, Metrics())
    mine, other = Pipe()
    engine.attach(mine)
    yield SimpleNamespace(engine=engine, pipeline=other, heard=heard, vocabulary=Vocabulary(tiny_tokenizer()))
    other.close()


def sequence(told: Any, **wishes: Any) -> Any:
    from tunesmith_transformers.api.engines import Output, Sampling, Sequence

    sampling = Sampling(**{"max_tokens": 8, "temperature": 0, **wishes})
    prompt = told.vocabulary.encode("Who is", special=False)
    return Sequence(prompt, sampling, Output(told.vocabulary, prompt, sampling.stop), lambda delta: None)


def test_tokens_become_text_and_a_stop_string_ends_the_answer(told: Any) -> None:
    from tunesmith_openvino.server.pipeline_process import Asked, Continued

    asked = sequence(told, stop=("brown",), logprobs=0)
    told.engine.submit([asked])
    request = told.pipeline.recv()
    assert isinstance(request, Asked)
    assert list(request.prompt) == asked.prompt
    words = told.vocabulary.encode(" quick brown fox", special=False)
    told.pipeline.send([Continued(request.number, tuple(words), tuple(-0.5 for _ in words), False)])
    assert told.pipeline.recv() == request.number, "the pipeline is told that nobody wants more"
    deltas = [delta for _, delta in told.heard(1)]
    assert "".join(delta.text for delta in deltas) == " quick "
    assert deltas[-1].finish == "stop"
    assert {placed.entry.logprob for delta in deltas for placed in delta.logprobs} == {-0.5}
    assert told.engine.drain(1.0)


def test_an_answer_that_the_pipeline_gives_up_is_an_error_of_its_own(told: Any) -> None:
    from tunesmith_openvino.server.pipeline_process import Continued

    told.engine.submit([sequence(told), other := sequence(told)])
    first, second = told.pipeline.recv(), told.pipeline.recv()
    told.pipeline.send([Continued(first.number, (), (), True), Continued(second.number, (2,), (0.0,), True)])
    (_, lost), (found, ended) = told.heard(2)[:2]
    told.engine.submit([sequence(told)])
    told.pipeline.send([Continued(told.pipeline.recv().number, (), (), True, "no such option")])
    assert told.heard(3)[2][1].error == "no such option"
    assert lost.finish == "error"
    assert "kv_cache_gib" in lost.error
    assert found is other
    assert ended.finish == "stop"
    assert ended.text == ""


def test_more_than_may_wait_are_refused_and_a_cancelled_one_makes_room(told: Any) -> None:
    from tunesmith_transformers.api.engines import QueueFull

    waiting = [sequence(told) for _ in range(3)]
    told.engine.submit(waiting)
    with pytest.raises(QueueFull):
        told.engine.submit([sequence(told)])
    told.engine.cancel([waiting[0]])
    assert told.heard(1)[0][1].finish == "cancelled"
    told.engine.submit([sequence(told)])


def test_a_pipeline_that_dies_ends_its_answers_and_the_engine_says_so(told: Any) -> None:
    from tunesmith_transformers.api.engines import Draining

    told.engine.submit([sequence(told)])
    told.pipeline.recv()
    told.pipeline.close()
    assert told.heard(1)[0][1].finish == "error"
    assert "has ended" in told.engine.error
    with pytest.raises(Draining):
        told.engine.submit([sequence(told)])


def test_closing_cancels_what_runs_and_tells_the_pipeline_to_end(told: Any) -> None:
    told.engine.submit([sequence(told)])
    told.pipeline.recv()
    told.engine.close()
    assert told.heard(1)[0][1].finish == "cancelled"
    assert told.pipeline.recv() is None
