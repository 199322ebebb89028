"""Start, stop and what happens between: ports, health, metrics, clients that hang up, full queues, failing models."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tunesmith.contracts import Address, UserError

LONG = {"model": "tiny", "prompt": "The quick", "max_tokens": 400, "temperature": 0, "extra_body": {"ignore_eos": True}}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ready_tells_where_the_server_is_and_under_what_name(server: Any, client: Any) -> None:
    facts = server.step.reports.facts
    assert facts["model"] == "tiny"
    assert facts["url"].startswith("http://127.0.0.1:")
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").owned_by == "tunesmith"
    assert httpx.get(f"{server.root}/health").status_code == 200
    assert any("512 tokens" in what for what, _ in server.step.reports.decisions)


def test_a_port_in_use_is_said_before_the_model_is_loaded(serve: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError) as raised, serve(tmp_path / "nothing here", address=Address(port=port)):
            raise AssertionError("unreachable")
    assert raised.value.code == "TS-SERVE-001"
    assert str(port) in raised.value.what
    assert raised.value.fix


def test_an_unknown_host_is_a_users_error_too(serve: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="TS-SERVE-001"), serve(tmp_path, address=Address(host="no.such.host.invalid")):
        raise AssertionError("unreachable")


def test_health_says_loading_until_the_model_is_there(serve: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tunesmith_transformers.engine import engine_start

    proceed, real = threading.Event(), engine_start.load

    def slow(*arguments: Any) -> Any:
        assert proceed.wait(30)
        return real(*arguments)

    monkeypatch.setattr(engine_start, "load", slow)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    seen: list[tuple[int, str]] = []

    def look() -> None:
        try:
            until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
            for path in ("/health", "/v1/models"):
                answer = httpx.get(f"http://127.0.0.1:{port}{path}")
                seen.append((answer.status_code, answer.json()["error"]["code"]))
        finally:
            proceed.set()

    looking = threading.Thread(target=look)
    looking.start()
    with serve(tiny, address=Address(port=port)) as server:
        looking.join()
        assert httpx.get(f"{server.root}/health").status_code == 200
    assert seen == [(503, "loading")] * 2


def test_stopping_lets_running_answers_end_and_takes_no_new_ones(serve: Any, tiny: Path) -> None:
    with serve(tiny, max_num_seqs=1) as server, ThreadPoolExecutor(4) as pool:
        client = server.client()
        running = [pool.submit(lambda: client.completions.create(**LONG)) for _ in range(3)]
        until(lambda: server.metric("tunesmith_sequences_waiting") == 2)  # waiting ones were accepted as well
        server.stop()
        until(lambda: httpx.get(f"{server.root}/health").status_code == 503)
        with pytest.raises(openai.InternalServerError) as refused:
            client.completions.create(**LONG)
        assert refused.value.status_code == 503
        assert [future.result().usage.completion_tokens for future in running] == [400] * 3
        server.join()
        assert server.failure is None
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.root}/health")


def test_answers_that_outlive_the_grace_are_cut_off_with_an_error(serve: Any, tiny: Path) -> None:
    with serve(tiny, max_num_seqs=1, shutdown_grace=0.0) as server, ThreadPoolExecutor(4) as pool:
        client = server.client()
        running = [pool.submit(lambda: client.completions.create(**LONG)) for _ in range(4)]
        until(lambda: server.metric("tunesmith_sequences_waiting") == 3)
        server.stop()
        assert [future.exception().status_code for future in running] == [503] * 4
        server.join()
    assert any("cut off" in message for _, message in server.step.reports.logs)
    assert any(level == "notice" and "4 answers are under way" in message for level, message in server.step.reports.logs)


def test_a_stream_that_outlives_the_grace_ends_with_an_error_event_and_done(serve: Any, tiny: Path) -> None:
    with serve(tiny, shutdown_grace=0.0) as server:
        body = {"model": "tiny", "prompt": "x", "max_tokens": 500, "temperature": 0, "ignore_eos": True, "stream": True}
        body["n"] = 3  # several rows
        with httpx.stream("POST", f"{server.url}/completions", json=body) as answer:
            lines = (line for line in answer.iter_lines() if line)
            first = json.loads(next(lines).removeprefix("data: "))
            server.stop()
            *_, error, done = lines
    assert first["choices"][0]["finish_reason"] is None
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == "draining"
    assert done == "data: [DONE]"


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_frees_its_place_at_once(serve: Any, tiny: Path, stream: bool) -> None:
    with serve(tiny, max_num_seqs=1) as server:
        body = {"model": "tiny", "prompt": "x", "max_tokens": 500, "temperature": 0, "ignore_eos": True, "stream": stream}
        raw = json.dumps(body).encode()
        head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
        host, port = server.root.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode() + raw)
            until(lambda: server.metric("tunesmith_sequences_running") == 1)
            if stream:
                connection.recv(100)
        until(lambda: server.metric("tunesmith_answers_total", finish="cancelled") == 1)
        assert server.metric("tunesmith_generated_tokens_total") < 500
        again = server.client().completions.create(model="tiny", prompt="x", max_tokens=2, extra_body={"ignore_eos": True})
        assert again.usage.completion_tokens == 2


def test_more_than_the_queue_holds_is_refused_with_429(serve: Any, tiny: Path) -> None:
    with serve(tiny, max_num_seqs=1, max_queued_requests=1) as server, ThreadPoolExecutor(2) as pool:
        client = server.client()
        running = [pool.submit(lambda: client.completions.create(**LONG)) for _ in range(2)]
        until(lambda: server.metric("tunesmith_sequences_waiting") == 1)
        with pytest.raises(openai.RateLimitError) as refused:
            client.completions.create(**LONG)
        assert refused.value.response.headers["retry-after"] == "1"
        assert [future.result().usage.completion_tokens for future in running] == [400] * 2


def test_metrics_count_requests_tokens_and_times(serve: Any, tiny: Path) -> None:
    with serve(tiny) as server:
        client = server.client()
        usage = [client.completions.create(model="tiny", prompt="The quick", max_tokens=n, temperature=0).usage for n in (3, 5)]
        with pytest.raises(openai.NotFoundError):
            client.completions.create(model="other", prompt="x")
        assert server.metric("tunesmith_requests_total", route="/v1/completions", status="200") == 2
        assert server.metric("tunesmith_requests_total", route="/v1/completions", status="404") == 1
        assert server.metric("tunesmith_prompt_tokens_total") == sum(u.prompt_tokens for u in usage)
        assert server.metric("tunesmith_generated_tokens_total") == sum(u.completion_tokens for u in usage) == 8
        for name in ("tunesmith_time_to_first_token_seconds", "tunesmith_answer_seconds"):
            assert server.metric(f"{name}_count") == 2
            assert server.metric(f"{name}_sum") > 0
        assert server.metric("tunesmith_answers_total", finish="length") == 2
        assert server.metric("tunesmith_sequences_running") == 0
