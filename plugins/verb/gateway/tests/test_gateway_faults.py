"""What goes wrong at either side: clients that leave, stall, flood or talk nonsense; servers that die, hang, come back."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_processes import start_engine, wait_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BODY = b'{"model": "bot", "messages": [{"role": "user", "content": "hello"}]}'


def connected(gateway: Any) -> socket.socket:
    url = httpx.URL(gateway.root)
    return socket.create_connection((url.host, url.port), timeout=30)


def closed_by_the_other_side(client: socket.socket) -> bool:
    try:
        return client.recv(65536) == b""
    except ConnectionError:
        return True


def test_a_client_that_leaves_in_mid_stream_frees_the_server_s_slot_within_a_second(small: Any) -> None:
    gateway, engine = small
    before = engine.state["gone"]
    with httpx.stream("POST", f"{gateway.url}/chat/completions", json=json.loads(BODY) | {"stream": True, "max_tokens": 10_000}) as answer:
        pieces = answer.iter_raw()
        assert next(pieces)
        assert engine.state["running"] == 1
    left = time.monotonic()
    wait_for(lambda: engine.state["running"] == 0, 30)
    assert time.monotonic() - left < 1.0
    assert engine.state["gone"] == before + 1
    wait_for(lambda: any(line["outcome"] == "gone" for line in gateway.lines()), 5)


def test_a_client_that_leaves_before_the_answer_frees_it_too(small: Any) -> None:
    gateway, engine = small
    client = connected(gateway)
    body = json.dumps(json.loads(BODY) | {"max_tokens": 100_000, "model": "other"}).encode()
    client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
    client.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    wait_for(lambda: engine.state["running"], 30)
    client.close()
    wait_for(lambda: engine.state["running"] == 0, 3)


def test_half_open_connections_and_half_requests_are_closed(small: Any) -> None:
    gateway, _ = small
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    silent, begun, trickling = connected(gateway), connected(gateway), connected(gateway)
    begun.sendall(head)
    stop, started = time.monotonic() + 20, False
    while time.monotonic() < stop:  # slowloris: a header now and then
        try:
            trickling.sendall(b"A: b\r\n" if started else head)
            started = True
        except OSError:
            break
        time.sleep(0.2)
    assert time.monotonic() < stop, "it was closed while it trickled"
    assert closed_by_the_other_side(silent)
    assert closed_by_the_other_side(begun)
    slow = connected(gateway)
    slow.sendall(head + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    answer = slow.recv(65536)
    assert b" 408 " in answer.splitlines()[0]
    assert gateway.ask().status_code == 200, "others are answered meanwhile"


def test_a_body_of_100_mb_is_refused_before_it_is_read(small: Any) -> None:
    gateway, _ = small
    pieces = (b" " * 2**20 for _ in range(100))
    sent = 0

    def told() -> Any:
        nonlocal sent
        for piece in pieces:
            sent += len(piece)
            yield piece

    with httpx.Client() as client:
        try:  # whether it sees the answer or a closed door first is a race that HTTP has
            answer = client.post(
                f"{gateway.url}/chat/completions", content=told(), headers={"Content-Type": "application/json"}, timeout=60
            )
            assert answer.status_code == 413
        except httpx.HTTPError:
            pass
    assert sent < 50 * 2**20
    length = {"Content-Type": "application/json", "Content-Length": str(100 * 2**20)}
    with connected(gateway) as client_socket:
        head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "localhost", **length}.items())
        client_socket.sendall(f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n".encode())
        assert b" 413 " in client_socket.recv(65536).splitlines()[0]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_FIELDS = st.sampled_from(["model", "messages", "prompt", "stream", "temperature", "seed", "n", "tools", "stream_options"])
_REQUESTS = st.dictionaries(_FIELDS, _JSON, max_size=5).map(lambda data: json.dumps(data).encode()) | st.binary(max_size=300)
_PATHS = st.sampled_from(["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/tokenize", "/v1/models"]) | st.lists(
    st.sampled_from(["v1", "..", "%2e%2e", "%00", "%ff", "models", "chat", "a" * 3000, "", "~"]), max_size=5
).map(lambda parts: "/" + "/".join(parts))


def malformed(gateway: Any, count: int) -> None:
    client = httpx.Client(timeout=60)

    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(method=st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "DELETE"]), path=_PATHS, body=_REQUESTS)
    def tried(method: str, path: str, body: bytes) -> None:
        url = httpx.URL(gateway.root).copy_with(raw_path=path.encode())
        headers = {"Content-Type": "application/json"}
        try:
            answer = client.request(method, url, content=body, headers=headers)
        except httpx.RemoteProtocolError:  # a kept connection may be closed as idle at the same moment; a new one has no such excuse
            answer = httpx.request(method, url, content=body, headers=headers, timeout=60)
        assert answer.status_code < 500, (method, path, body, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["error"]["message"]

    tried()
    client.close()
    assert "Traceback" not in gateway.errors.read_text()
    assert gateway.ask().status_code == 200


def test_malformed_requests_are_the_clients_mistakes(small: Any) -> None:
    malformed(small[0], 300)


@pytest.mark.slow
def test_ten_thousand_malformed_requests_are_the_clients_mistakes(small: Any) -> None:
    malformed(small[0], 10_000)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.binary(max_size=400))
def test_bytes_that_are_no_http_end_their_connection_alone(small: Any, data: bytes) -> None:
    with connected(small[0]) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        assert b" 500 " not in answer.split(b"\r\n")[0]


def test_sigterm_lets_streams_end_and_what_takes_longer_is_told(engine: Callable[..., Any], gateway: Callable[..., Any]) -> None:
    one = engine("--pause", "0.05")
    up = gateway({"models": {"bot": {"url": one.url}}, "shutdown_grace": 2})
    texts: dict[str, str] = {}
    threads = [
        threading.Thread(target=lambda n=name, t=tokens: texts.update({n: up.ask(n, stream=True, max_tokens=t).text}))
        for name, tokens in (("short", 10), ("long", 10_000))
    ]
    for thread in threads:
        thread.start()
    wait_for(lambda: one.state["running"] == 2)
    up.process.send_signal(signal.SIGTERM)
    wait_for(lambda: httpx.get(f"{up.root}/health").status_code == 503)
    assert up.ask("new").status_code == 503
    for thread in threads:
        thread.join()
    up.process.wait(60)
    assert up.process.returncode == 0
    assert " 9" in texts["short"]
    assert "error" not in texts["short"]
    *_, error, done = texts["long"].strip().split("\n\n")
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == "draining"
    assert done == "data: [DONE]"
    assert "Traceback" not in up.errors.read_text()


def test_a_request_is_tried_elsewhere_as_often_as_the_setting_says(engine: Callable[..., Any], gateway: Callable[..., Any]) -> None:
    one, two = engine(), engine("--says", "two")
    upstreams = [{"url": one.url}, {"url": two.url}]
    up = gateway({"models": {"bot": {"upstreams": upstreams}}, "health_interval": 3600, "upstream_wait": 1})
    brave = gateway({"models": {"bot": {"upstreams": upstreams}}, "health_interval": 3600, "max_retries": 0})
    said = {up.ask().json()["choices"][0]["message"]["content"][:4] for _ in range(4)}
    assert said == {"one:", "two:"} or said == {"one:"} or said == {"two:"}
    one.kill()
    assert [up.ask(stream=number % 2 == 0).status_code for number in range(4)] == [200] * 4
    assert up.metric("tunesmith_gateway_retries_total", model="bot") >= 1
    assert 502 in [brave.ask().status_code for _ in range(4)], "without retries a dead server is noticed by a request"
    assert up.ask("die").status_code == 502 or two.process.poll() is not None


def test_requests_wait_for_a_server_that_is_started_again(engine: Callable[..., Any], gateway: Callable[..., Any]) -> None:
    one = engine()
    up = gateway({"models": {"bot": {"url": one.url}}, "upstream_wait": 60})
    impatient = gateway({"models": {"bot": {"url": one.url}}, "upstream_wait": 0, "max_retries": 0})
    assert up.ask().status_code == 200
    one.kill()
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(up.ask().status_code))
    asking.start()
    assert impatient.ask().status_code in (502, 503)
    again = start_engine(port=one.port)
    try:
        asking.join()
        assert answers == [200]
    finally:
        again.kill()


def test_a_stream_that_stalls_is_ended(gateway: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def stall() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n")
                kept.append(client)

        kept: list[socket.socket] = []
        threading.Thread(target=stall, daemon=True).start()
        up = gateway(
            {"models": {"bot": {"url": f"http://127.0.0.1:{listener.getsockname()[1]}/v1"}}, "idle_timeout": 0.5, "health_interval": 3600}
        )
        *_, error, _done = up.ask(stream=True).text.strip().split("\n\n")
        assert "nothing came for 0.5 seconds" in error


def test_a_full_server_s_429_is_passed_on_with_its_time_to_wait(engine: Callable[..., Any], gateway: Callable[..., Any]) -> None:
    one = engine("--slots", "0")
    up = gateway({"models": {"bot": {"url": one.url}}, "upstream_wait": 0})
    answer = up.ask()
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["error"]["message"]) == (429, "7", "no slot is free.")


def test_a_server_that_hangs_is_not_asked_again(engine: Callable[..., Any], gateway: Callable[..., Any]) -> None:
    one, two = engine(), engine()
    both = {"upstreams": [{"url": one.url}, {"url": two.url}]}
    up = gateway({"models": {"bot": {"url": one.url}, "both": both}, "first_byte_timeout": 0.5, "max_retries": 5})
    assert up.ask("hang").status_code == up.ask("hang", model="both").status_code == 504
    wait_for(lambda: len(up.lines()) == 2)  # a line is written once its answer has gone
    assert [line["attempts"] for line in up.lines()] == [1, 2], "each server once"


def test_a_stream_goes_on_at_another_server_when_its_own_is_killed(engine: Callable[..., Any], gateway: Callable[..., Any]) -> None:
    one, two = engine("--pause", "0.05"), engine("--pause", "0.05")
    up = gateway({"models": {"bot": {"upstreams": [{"url": one.url}, {"url": two.url}]}}, "resume_streams": True})
    texts: list[str] = []
    asking = threading.Thread(target=lambda: texts.append(up.ask(stream=True, max_tokens=20).text))
    asking.start()
    wait_for(lambda: one.state["running"] + two.state["running"])
    time.sleep(0.3)
    (one if one.state["running"] else two).kill()
    asking.join()
    events = [json.loads(event.removeprefix("data: ")) for event in texts[0].strip().split("\n\n")[:-1]]
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in events) == "one:hello " + " ".join(map(str, range(20)))
    assert len({event["id"] for event in events}) == 1
    assert up.metric("tunesmith_gateway_resumed_streams_total", model="bot") == 1
    unlike = up.ask(stream=True, max_tokens=20, temperature=1)
    assert "[DONE]" in unlike.text


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_however_the_gateway_ends_the_run_that_serves_for_it_ends_too(
    gateway: Callable[..., Any], engine: Callable[..., Any], number: int
) -> None:
    from tunesmith_cli.api import running_endpoints

    up = gateway({}, "--serve", "--", "remote", "--remote.url", engine().url, "--name", "bot")
    assert up.ask().status_code == 200
    (run,) = running_endpoints(up.home)
    up.process.send_signal(number)
    up.process.wait(60)
    wait_for(lambda: not Path(f"/proc/{run.pid}").exists(), 30)
    assert list(running_endpoints(up.home)) == []
