"""How requests come in: nothing of it holds up other requests, nothing waits for ever, nothing is taken from other people's web pages."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tunesmith.contracts import Address
from tunesmith_transformers.api import service
from tunesmith_transformers.text.vocabulary import Vocabulary

TEXT = {"model": "tiny", "prompt": "hi", "max_tokens": 2}


def test_other_requests_are_answered_while_one_is_prepared(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, proceed, real = threading.Event(), threading.Event(), Vocabulary.encode

    def encode(self: Vocabulary, text: str, **options: Any) -> list[int]:
        if text == "slow":
            entered.set()
            assert proceed.wait(30)
        return real(self, text, **options)

    monkeypatch.setattr(Vocabulary, "encode", encode)
    slow = threading.Thread(target=lambda: httpx.post(f"{server.url}/completions", json=TEXT | {"prompt": "slow"}))
    slow.start()
    try:
        assert entered.wait(30)
        assert httpx.get(f"{server.root}/health").status_code == 200
        assert httpx.post(f"{server.url}/completions", json=TEXT).status_code == 200
    finally:
        proceed.set()
        slow.join()


def test_a_text_that_can_not_fit_is_not_tokenized(tokenizer: Any) -> None:
    class Untouchable:
        """A tokenizer's core that must not be asked."""

    vocabulary = Vocabulary(tokenizer, length=512)
    vocabulary._core = Untouchable()
    with pytest.raises(ValueError, match="more tokens than fit"):
        vocabulary.encode("x" * 15_000_000, special=True)


def test_a_token_that_the_model_has_no_row_for_is_refused(tokenizer: Any) -> None:
    vocabulary = Vocabulary(tokenizer, rows=100)
    assert len(vocabulary) == 100
    with pytest.raises(ValueError, match="the model has 100"):
        vocabulary.encode("~ü", special=False)


def test_a_body_that_says_it_is_too_large_is_not_read(serve: Any, tiny: Path) -> None:
    with serve(tiny, max_request_bytes=1024) as server, _connection(server) as raw:
        raw.sendall(_head(server, 10**9))
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


@pytest.fixture
def hasty(serve: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server that waits for nobody for long."""
    monkeypatch.setattr(service, "PATIENCE", 0.3)
    with serve(tiny) as server:
        yield server


def _connection(server: Any) -> socket.socket:
    host, port = server.root.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def _head(server: Any, length: int) -> bytes:
    kind = "Content-Type: application/json"
    return f"POST /v1/completions HTTP/1.1\r\nHost: {server.root[7:]}\r\n{kind}\r\nContent-Length: {length}\r\n\r\n".encode()


@pytest.mark.parametrize("sent", [b"", b"POST /v1/comple", b"GET /health HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_connection_without_a_whole_head_is_closed(hasty: Any, sent: bytes) -> None:
    with _connection(hasty) as raw:
        raw.sendall(sent)
        assert _rest(raw) == b""


def test_a_connection_that_is_idle_after_an_answer_is_closed(hasty: Any) -> None:
    with _connection(hasty) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea")
        assert _rest(raw).count(b"HTTP/1.1 200") == 1


def test_half_a_body_is_answered_and_closed(hasty: Any) -> None:
    with _connection(hasty) as raw:
        raw.sendall(_head(hasty, 100) + b'{"model": ')
        said = _rest(raw)
    assert said.startswith(b"HTTP/1.1 408")
    assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["type"] == "invalid_request_error"


def test_a_body_that_trickles_in_has_no_longer_than_one_that_stops(hasty: Any) -> None:
    with _connection(hasty) as raw:
        raw.sendall(_head(hasty, 10**5))
        started = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - started < 20 and not select.select([raw], [], [], 0.02)[0]:
                raw.sendall(b" ")  # each piece comes soon after the one before
        assert _rest(raw).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - started < 10


def test_a_body_of_100_megabytes_without_a_length_is_cut_off_at_the_bound(serve: Any, tiny: Path) -> None:
    """Sent in chunks, so that nobody can know before; the server reads no more than it may hold, and others are answered meanwhile."""
    with serve(tiny, max_request_bytes=2**20) as server, _connection(server) as raw:
        raw.sendall(_head(server, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 100 * 2**20 and not select.select([raw], [], [], 0)[0]:
                raw.sendall(b"10000\r\n" + b" " * 2**16 + b"\r\n")
                sent += 2**16
        assert sent < 50 * 2**20
        assert _rest(raw).startswith(b"HTTP/1.1 413")
        assert httpx.post(f"{server.url}/completions", json=TEXT).status_code == 200


def test_a_client_that_does_not_take_its_answer_is_cut_off(hasty: Any) -> None:
    body = json.dumps(TEXT | {"prompt": [[5] * 400] * 32, "max_tokens": 0, "echo": True, "logprobs": 20}).encode()
    with _connection(hasty) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.sendall(_head(hasty, len(body)) + body)
        while not hasty.metric("tunesmith_requests_total", route="/v1/completions", status="200"):
            pass
        while hasty._backend and _open(hasty):
            pass
    assert httpx.post(f"{hasty.url}/completions", json=TEXT).status_code == 200


def _open(server: Any) -> bool:
    """Whether the server holds a connection other than the one that asks."""
    port = f":{int(server.root.rpartition(':')[2]):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return any(fields[1].endswith(port) and fields[3] == "01" for fields in lines)


def _rest(raw: socket.socket) -> bytes:
    said = b""
    try:
        while piece := raw.recv(65536):
            said += piece
    except ConnectionResetError:
        pass
    return said


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "[evil]", "a b"])
def test_a_name_that_leads_here_is_not_answered_to(server: Any, host: str) -> None:
    answer = httpx.get(f"{server.url}/models", headers={"Host": host})
    assert answer.status_code == 403
    assert "allowed_hosts" in answer.json()["error"]["message"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8000", "bot.localhost", "LOCALHOST"])
def test_this_machines_names_are_answered_to(server: Any, host: str) -> None:
    assert httpx.get(f"{server.url}/models", headers={"Host": host}).status_code == 200


def test_other_names_are_answered_to_where_they_are_allowed_or_the_network_is_listened_to() -> None:
    assert Address(allowed_hosts=("llm.example",)).answers_to("llm.example:443")
    assert not Address(allowed_hosts=("llm.example",)).answers_to("other.example")
    assert Address("0.0.0.0").answers_to("whatever.example")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
def test_a_body_that_does_not_say_it_is_json_is_refused(server: Any, kind: str) -> None:
    """What a browser sends to anywhere for any page, without asking first."""
    answer = httpx.post(f"{server.url}/completions", content=json.dumps(TEXT), headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]["message"]


def test_a_browser_that_asks_first_is_not_told_to_go_on(server: Any) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = httpx.options(f"{server.url}/completions", headers=asked)
    assert answer.status_code == 405
    assert not any(name.startswith("access-control") for name in answer.headers)
