"""The proxy before a fake of llama.cpp's server: what it refuses, whom it waits for, and how it ends streams."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import Address
from tunesmith.contracts.port_in_use import free_port
from tunesmith_llamacpp.server import proxy as proxies
from tunesmith_llamacpp.server import response as answers
from tunesmith_llamacpp.server.proxy import Proxy
from tunesmith_llamacpp.server.response import Chunks

ASKED = {"prompt": "x", "max_tokens": 2}
EVENT = b'data: {"choices": [{"text": "word"}]}\n\n'


class FakeLlama:
    """Keeps the heads that it gets; streams an event, and no more until it is told to go on, where `stream` is asked for."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.host, self.port = "127.0.0.1", 0
        self.upstream = self  # as an `Echo` has it

    async def start(self) -> None:
        server = await asyncio.start_server(self._client, self.host)
        self.port = server.sockets[0].getsockname()[1]
        self.go_on = asyncio.Event()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        if b"slow" in head:
            await self.go_on.wait()
        if b"stream" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            chunk = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
            writer.write(chunk + (chunk[:9] if b"half" in head else b""))
            await self.go_on.wait()
            writer.write(chunk[9:] if b"half" in head else b"")
            await asyncio.sleep(30)
        if b"fails" in head:
            blamed = b"Failed to parse tools: not an array" if b"parse" in head else b"out of memory"
            body = b'{"error": {"code": 500, "message": "%b"}}' % blamed
            writer.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: %d\r\n\r\n" % len(body))
            await asyncio.sleep(0.05)  # head and body come apart
            writer.write(body)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    def answer(self, request: Any) -> Any:
        raise KeyError("nothing")


class Running:
    def __init__(self, url: str, llama: FakeLlama, call: Callable[[Callable[[], None]], None], stop: asyncio.Event) -> None:
        self.url, self.llama, self.call, self._stop = url, llama, call, stop

    def stop(self) -> None:
        self.call(self._stop.set)


@contextmanager
def opened(shutdown_grace: float = 0.0) -> Iterator[Running]:
    port, ready, llama, loop = free_port("127.0.0.1", 0), threading.Event(), FakeLlama(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        await llama.start()
        await Proxy(llama, 1).serve(Address("127.0.0.1", port, ("llm.example",)), stop, ready.set, shutdown_grace)  # type: ignore[arg-type]

    def run() -> None:
        loop.run_until_complete(serve())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(30)
    running = Running(f"http://127.0.0.1:{port}", llama, loop.call_soon_threadsafe, stop)
    try:
        yield running
    finally:
        if not loop.is_closed():
            running.stop()
        thread.join(30)
        assert not thread.is_alive()


def test_names_that_lead_here_pages_of_others_and_unsaid_json_are_refused() -> None:
    with opened() as proxy:
        hosts = ("localhost", "127.0.0.1:1", "llm.example", "evil.example")
        assert [httpx.get(proxy.url, headers={"Host": host}).status_code for host in hosts] == [200, 200, 200, 403]
        kinds = ("application/json", "text/plain", "")
        got = [httpx.post(proxy.url, content=b"{}", headers={"Content-Type": kind} if kind else {}).status_code for kind in kinds]
        assert got == [200, 415, 415]
        assert httpx.options(proxy.url, headers={"Origin": "https://evil.example"}).status_code == 405
        assert (
            httpx.post(proxy.url, content=b"x" * (proxies.LARGEST_BODY + 1), headers={"Content-Type": "application/json"}).status_code
            == 413
        )
        httpx.get(proxy.url, headers={"Origin": "https://evil.example"})
    assert b"origin" not in proxy.llama.heads[-1].lower()  # which would be told that it may read


def test_half_a_request_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "PATIENCE", 0.2)
    head = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    with opened() as proxy:
        assert said(proxy, b"POST /v1/com") == b""
        assert said(proxy, head).startswith(b"HTTP/1.1 408")


def said(proxy: Running, request: bytes) -> bytes:
    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer

    return asyncio.run(ask())


def test_an_echo_that_fails_is_an_answer() -> None:
    with opened() as proxy:
        failed = httpx.post(f"{proxy.url}/v1/completions", json=ASKED | {"echo": True})
        assert (failed.status_code, "KeyError" in failed.text) == (500, True)
        deep = b'{"echo": ' + b"[" * 100_000 + b"}"
        assert httpx.post(f"{proxy.url}/v1/completions", content=deep, headers={"Content-Type": "application/json"}).status_code == 400


@pytest.mark.parametrize(("name", "status", "message"), [("fails", 500, "out of memory"), ("fails-parse", 400, "Failed to parse tools")])
def test_a_mistake_for_which_llama_cpp_blames_itself_is_the_clients(name: str, status: int, message: str) -> None:
    with opened() as proxy:
        reply = httpx.post(f"{proxy.url}/{name}", json=ASKED, timeout=30)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, status)
    assert message in reply.json()["error"]["message"]


@pytest.mark.parametrize("name", ["stream", "stream-half"])
def test_a_stream_that_outlives_the_grace_ends_with_an_error_event_and_done(name: str) -> None:
    """Also where it is in the middle of an event at that moment."""
    with opened() as proxy, httpx.stream("POST", f"{proxy.url}/{name}", json=ASKED, timeout=30) as reply:
        lines = (line for line in reply.iter_lines() if line)
        first = next(lines)
        proxy.stop()
        if name == "stream-half":
            proxy.call(proxy.llama.go_on.set)
        *between, error, done = lines
    assert [first, *between] == [EVENT.decode().strip()] * (2 if name == "stream-half" else 1)
    assert json.loads(error.removeprefix("data: "))["error"] == answers.SHUT_DOWN["error"]
    assert done == "data: [DONE]"


def test_an_answer_that_has_not_begun_at_the_end_of_the_grace_is_a_503() -> None:
    with opened() as proxy:
        got: list[int] = []
        asking = threading.Thread(target=lambda: got.append(httpx.post(f"{proxy.url}/slow", json=ASKED, timeout=30).status_code))
        asking.start()
        while not proxy.llama.heads:
            pass
        proxy.stop()
        asking.join()
    assert got == [503]


def test_an_answer_that_ends_within_the_grace_is_whole() -> None:
    with opened(shutdown_grace=30.0) as proxy:
        got: list[str] = []
        asking = threading.Thread(target=lambda: got.append(httpx.post(f"{proxy.url}/slow", json=ASKED, timeout=30).text))
        asking.start()
        while not proxy.llama.heads:
            pass
        proxy.stop()
        proxy.call(proxy.llama.go_on.set)
        asking.join()
    assert got == ["{}"]


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=5), st.data())
def test_the_places_between_chunks_are_found_however_the_bytes_arrive(parts: list[bytes], data: st.DataObject) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n"
    pieces = [head, *(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)]
    ends = {sum(map(len, pieces[: count + 1])) for count in range(len(pieces))}
    whole, at, chunks = b"".join(pieces), 0, Chunks()
    while at < len(whole):
        step = data.draw(st.integers(1, 30))
        chunks.feed(whole[at : at + step])
        at = min(at + step, len(whole))
        assert chunks.between == (at in ends)
    chunks.feed(b"0\r\n\r\n")
    assert chunks.ended
    assert not chunks.between
