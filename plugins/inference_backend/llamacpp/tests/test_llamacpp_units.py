"""What needs no llama.cpp: the command, the file, the estimate, and how answers are put together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import Address, Artifact, EstimateRequest, TunesmithError
from tunesmith_llamacpp.backend import LlamaCppBackend
from tunesmith_llamacpp.estimate import estimate
from tunesmith_llamacpp.gguf_file import gguf_file
from tunesmith_llamacpp.server.__main__ import options
from tunesmith_llamacpp.server.prompt_echo import BadRequest, Echo
from tunesmith_llamacpp.server.prompt_logprobs import aligned
from tunesmith_llamacpp.settings import LlamaCppSettings
from tunesmith_sdk.testing.model_configs import llama
from tunesmith_serve.settings import ServeSettings


def test_every_setting_reaches_the_server(tmp_path: Path, local_step: Any) -> None:
    (tmp_path / "m.gguf").touch()
    settings = LlamaCppSettings(512, 3, 1, 256, 64, "off", "q8_0", 0)
    address, step = Address("0.0.0.0", 8123, ("a.example", "b.example")), local_step(settings=ServeSettings(shutdown_grace=7.5))
    engine = LlamaCppBackend(settings).engine(Artifact("model/gguf", tmp_path), "bot", address, step)
    assert engine.command[:3] == (sys.executable, "-m", "tunesmith_llamacpp.server")
    asked = options(list(engine.command[3:]))
    assert {name: getattr(asked, name) for name in vars(settings)} == vars(settings)
    assert (asked.model, asked.name, asked.host, asked.port) == (str(tmp_path / "m.gguf"), "bot", "0.0.0.0", 8123)
    assert (asked.allowed_hosts, asked.shutdown_grace) == (["a.example", "b.example"], 7.5)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["m.gguf", "tokenizer.json"], "m.gguf"),
        (["m-00002-of-00002.gguf", "m-00001-of-00002.gguf"], "m-00001-of-00002.gguf"),
        (["m.gguf", "mmproj-m.gguf"], "m.gguf"),
    ],
)
def test_the_models_file_is_found(tmp_path: Path, names: list[str], found: str) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert gguf_file(tmp_path).name == found


@pytest.mark.parametrize("names", [[], ["a.gguf", "b.gguf"]])
def test_no_model_or_several_are_told(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(TunesmithError, match="TS-SERVE-002"):
        gguf_file(tmp_path)


def test_the_estimate_grows_with_slots_and_context() -> None:
    config = llama(layers=2, hidden=64, intermediate=128, heads=4, kv_heads=2, vocabulary=100, positions=512)

    def memory(**settings: Any) -> float:
        return estimate(EstimateRequest(config, 10**6, vars(LlamaCppSettings(**settings)))).memory

    assert memory(parallel=4) < memory(parallel=8) < memory(parallel=8, ctx_size=8192)
    assert memory(cache_type="q8_0") < memory(cache_type="f16") < memory(cache_type="f32")
    assert estimate(EstimateRequest({}, 10**6, vars(LlamaCppSettings()))).notes


class FakeUpstream:
    """A server of a model with ten tokens, each a letter, that gives token t the log-probability -t; it is asked for nothing else."""

    def get(self, path: str) -> Any:
        if path == "/props":
            return {"default_generation_settings": {"n_ctx": 8}}
        return {"data": [{"meta": {"n_vocab": 10}}]}

    def post(self, path: str, body: Any) -> Any:
        if path == "/tokenize":
            return {"tokens": [ord(letter) - ord("a") for letter in body["content"]]}
        if path == "/detokenize":
            return {"content": "".join(chr(ord("a") + token) for token in body["tokens"])}
        forced = [int(part.strip("<[]>")) for part in body["grammar"].partition("start: ")[2].split()]
        made = forced[: forced.index(9) + 1] if 9 in forced else forced  # 9 ends a turn
        said = [token for token in made if token != 8]  # 8 ends within a character
        top = [{"id": token, "logprob": -float(token)} for token in range(body["logprobs"] if body["logprobs"] < 10 else 10)]
        content = [{"id": token, "logprob": -float(token), "top_logprobs": top} for token in said]
        return {"choices": [{"logprobs": {"content": content}}], "usage": {"completion_tokens": len(made)}}


def ask(**request: Any) -> Any:
    return Echo(FakeUpstream(), "bot").answer({"echo": True, "max_tokens": 0, "logprobs": 1} | request)["choices"]  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_every_token_but_the_first_gets_its_log_probability(prompt: list[int]) -> None:
    (choice,) = ask(prompt=prompt)
    assert choice["logprobs"]["token_logprobs"] == [None, *(-float(token) for token in prompt[1:])]
    assert choice["text"] == "".join(choice["logprobs"]["tokens"])


def test_texts_lists_and_starts_are_understood() -> None:
    assert [choice["text"] for choice in ask(prompt=["abc", "de"])] == ["abc", "de"]
    assert [choice["text"] for choice in ask(prompt=[[0, 1], [2]])] == ["ab", "c"]
    (choice,) = ask(prompt="abcd", logprob_start_len=3, logprobs=2)
    assert choice["logprobs"]["token_logprobs"] == [None, None, None, -3.0]
    assert choice["logprobs"]["top_logprobs"] == [None, None, None, {"a": 0.0, "b": -1.0}]
    assert ask(prompt="ab", logprobs=None)[0]["logprobs"] is None


@pytest.mark.parametrize(
    "request_",
    [
        {"prompt": "ab", "max_tokens": 1}, {"prompt": "ab", "stream": True}, {"prompt": "ab", "n": 2}, {"prompt": "ab", "logprobs": 21},
        {"prompt": "ab", "logprobs": "x"}, {"prompt": "ab", "logprob_start_len": -1}, {"prompt": ""}, {"prompt": [1, 99]},
        {"prompt": [1, "x"]}, {"prompt": "abcdefghi"}, {},
    ],
)  # fmt: skip
def test_what_can_not_be_scored_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        ask(**request_)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=12))
def test_a_token_is_never_taken_for_another(tokens: list[tuple[int, bool]]) -> None:
    forced = [token for token, _ in tokens]
    kept = [index for index, (_, told) in enumerate(tokens) if told]
    for index, place in enumerate(aligned(forced, [forced[at] for at in kept])):
        assert place is None or kept[place] == index
