"""What goes wrong for one request goes wrong for it alone: its neighbours' answers are to the letter what they would have been."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from tunesmith.contracts import TunesmithError
from tunesmith_transformers.model import kv_cache
from tunesmith_transformers.model.forward_pass import Forward
from tunesmith_transformers.sampling import sampler
from tunesmith_transformers.text.answer_text import Output

POISON = 200  # a token


def neighbour(client: Any) -> str:
    """A sampled answer of many steps: one number drawn too many would change it."""
    stream = client.completions.create(model="tiny", prompt="The quick", max_tokens=120, temperature=1.0, seed=7, top_p=0.9, stream=True)
    return "".join(chunk.choices[0].text for chunk in stream)


@pytest.fixture
def undisturbed(serve: Any, tiny: Path) -> Iterator[Callable[..., list[Any]]]:
    """``undisturbed(*requests)``: sends them while a neighbour streams, and gives what became of each."""
    with serve(tiny, chunked_prefill_size=4) as server, ThreadPoolExecutor(1) as pool:
        client = server.client()
        alone = neighbour(client)

        def send(*requests: dict[str, Any]) -> list[Any]:
            outcomes = []
            beside = pool.submit(neighbour, client)
            for request in requests:
                try:
                    outcomes.append(client.completions.create(**{"model": "tiny", "prompt": [5, POISON], "max_tokens": 2, **request}))
                except openai.APIStatusError as error:
                    outcomes.append(error.status_code)
            assert beside.result() == alone
            assert server.failure is None
            return outcomes

        yield send
        assert neighbour(client) == alone


def test_a_forward_pass_that_fails_fails_the_sequence_at_fault(undisturbed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = Forward.__call__, []

    def forward(self: Any, chunks: Any, *rest: Any) -> Any:
        if any(POISON in chunk.tokens for chunk in chunks):
            failures.append(len(chunks))
            raise IndexError("no such row")
        return real(self, chunks, *rest)

    monkeypatch.setattr(Forward, "__call__", forward)
    assert undisturbed(*[{}] * 8) == [500] * 8  # the third once ended the server
    assert len(failures) >= 8


def test_logits_that_are_no_numbers_fail_their_own_sequence(undisturbed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Forward.__call__

    def forward(self: Any, chunks: Any, *rest: Any) -> Any:
        logits = real(self, chunks, *rest).clone()
        owners = [chunk for chunk in chunks for _ in chunk.wanted]
        for row, chunk in zip(logits, owners, strict=True):
            if POISON in chunk.tokens:
                row[17] = float("nan")
        return logits

    monkeypatch.setattr(Forward, "__call__", forward)
    settings = [{}, {"temperature": 0}, {"top_p": 0.5}, {"logprobs": 3}, {"max_tokens": 0, "echo": True, "logprobs": 1}]
    assert undisturbed(*settings) == [500] * 5


def test_a_sampler_that_fails_fails_the_sequence_it_draws_for(undisturbed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sampler.Draw.adjust

    def adjust(self: Any, row: Any) -> None:
        if self.prompt[-1] == POISON:
            raise RuntimeError("value cannot be converted without overflow")
        real(self, row)

    monkeypatch.setattr(sampler.Draw, "adjust", adjust)
    assert undisturbed({"presence_penalty": 1}, {"logit_bias": {"5": 1}}) == [500] * 2


def test_text_that_can_not_be_made_fails_its_own_sequence(undisturbed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Output.push

    def push(self: Any, token: int, entry: Any) -> Any:
        if self._stops._stops == ("poison",):
            raise ValueError("no such token")
        return real(self, token, entry)

    monkeypatch.setattr(Output, "push", push)
    assert undisturbed({"stop": "poison"}, {"stop": ["poison"]}) == [500] * 2


def test_a_cache_that_can_not_grow_ends_the_youngest_and_the_others_are_read_again(
    serve: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, short = kv_cache.blank, threading.Event()

    def blank(shape: Any, like: Any) -> Any:
        if short.is_set():
            short.clear()
            raise MemoryError("not enough")
        return real(shape, like)

    monkeypatch.setattr(kv_cache, "blank", blank)
    with serve(tiny, max_num_seqs=4, kv_cache_gib=600 * 512 / 2**30) as server, ThreadPoolExecutor(1) as pool:
        client = server.client()
        alone = neighbour(client)
        beside = pool.submit(neighbour, client)
        while not server.metric("tunesmith_sequences_running"):
            pass
        short.set()  # the next prompt needs longer rows
        with pytest.raises(openai.InternalServerError, match="MemoryError"):
            client.completions.create(model="tiny", prompt="x" * 250, max_tokens=2)
        assert beside.result() == alone
        assert client.completions.create(model="tiny", prompt="x" * 250, max_tokens=2).usage.completion_tokens == 2


def test_a_model_that_only_fails_is_not_served_on(serve: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, broken = Forward.__call__, threading.Event()

    def forward(self: Any, *arguments: Any) -> Any:
        if broken.is_set():
            raise RuntimeError("the device is gone, say")
        return real(self, *arguments)

    monkeypatch.setattr(Forward, "__call__", forward)
    with serve(tiny) as server:
        broken.set()
        with pytest.raises(openai.InternalServerError, match="the device is gone"):
            server.client().completions.create(model="tiny", prompt="x", max_tokens=2)
        server.join()
    assert isinstance(server.failure, TunesmithError)
    assert server.failure.code == "TS-SERVE-004"
    assert "the device is gone" in server.failure.why


def test_a_fault_of_the_servers_own_code_is_an_error_object_of_that_request(
    serve: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tunesmith_transformers.api import completions

    with serve(tiny) as server:
        client = server.client()
        with monkeypatch.context() as patched:
            patched.setattr(completions, "sampling", lambda *_, **__: {}["nothing"])
            with pytest.raises(openai.InternalServerError, match="KeyError"):
                client.completions.create(model="tiny", prompt="x", max_tokens=2)
        assert client.completions.create(model="tiny", prompt="x", max_tokens=2).usage.completion_tokens == 2
