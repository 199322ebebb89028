"""Over real HTTP: what is sent, what is read of a stream, and figures within wide bounds of a server's known waits."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from noting_server import NotingServer, serving

from tunesmith_bench.load.http_transport import HttpTransport, events
from tunesmith_bench.load.record import Record, Request
from tunesmith_bench.workload.calibration import calibrate

ASKED = Request({"messages": [{"role": "user", "content": "Who?"}], "max_tokens": 12}, 12)


def answer(server: NotingServer, *, key: str = "", timeout: float = 30.0, keep_text: bool = False) -> Record:
    async def work(url: str) -> Record:
        async with HttpTransport(url, "noted", key, timeout, keep_text) as transport:
            record = Record(asyncio.get_running_loop().time())
            await transport.send(ASKED, record)
            return record

    with serving(server) as url:
        return asyncio.run(work(url))


def test_an_answer_is_read_piece_by_piece_and_counted_by_usage() -> None:
    record = answer(NotingServer(first=0.2, between=0.05, together=3), keep_text=True)
    assert record.error == ""
    assert (len(record.pieces), record.usage_tokens, record.prompt_tokens) == (4, 12, 8)
    assert record.text.split() == ["wörd"] * 12
    assert record.ttft >= 0.2
    assert record.e2e >= 0.2 + 9 * 0.05
    record.output_tokens = record.usage_tokens
    assert record.itl >= 9 * 0.05 / 11 * 0.9


@pytest.mark.parametrize(
    ("server", "timeout", "said"),
    [
        (NotingServer(status=503), 30.0, "HTTP 503: it is asleep"), (NotingServer(cut=True), 30.0, "broke off"),
        (NotingServer(first=20.0), 0.2, "no whole answer in 0.2 s"), (NotingServer(key="right"), 30.0, "HTTP 401"),
    ],
)  # fmt: skip
def test_what_is_no_whole_answer_is_an_error(server: NotingServer, timeout: float, said: str) -> None:
    record = answer(server, timeout=timeout)
    assert said in record.error
    assert not record.answered


def test_the_key_is_sent() -> None:
    assert answer(NotingServer(key="right"), key="right").answered


def test_nobody_there_is_an_error() -> None:
    async def work() -> Record:
        async with HttpTransport("http://127.0.0.1:9/v1", "m") as transport:
            record = Record(0.0)
            await transport.send(ASKED, record)
            return record

    record = asyncio.run(work())
    assert record.error
    assert not record.answered


def test_the_server_says_how_long_words_are() -> None:
    async def work(url: str):
        async with HttpTransport(url, "noted") as transport:
            return await calibrate(transport)

    with serving(NotingServer()) as url:
        scale, _ = asyncio.run(work(url))
    assert (scale.words_per_token, scale.around) == (1.0, 7.0)  # a word a token, and seven around them
    assert scale.words(107) == 100


class ShortContext:
    """Five tokens a word and three around them, and room for some only."""

    def __init__(self, room: int) -> None:
        self.room = room

    async def send(self, request: Request, record: Record) -> None:
        tokens = 3 + 5 * len(request.body["messages"][0]["content"].split())
        if tokens > self.room:
            record.error = "status 400: too long"
        else:
            record.prompt_tokens = tokens


@pytest.mark.parametrize(("room", "words"), [(600, 20), (300, 20), (100, 19)])
def test_a_short_context_is_asked_shorter_questions(room: int, words: int) -> None:
    scale, answer = asyncio.run(calibrate(ShortContext(room)))  # type: ignore[arg-type]
    assert not answer.error
    assert scale.words(103) == words


@given(st.lists(st.binary(max_size=12).filter(lambda data: b"\n" not in data and data == data.strip()), max_size=6), st.data())
def test_events_are_found_however_the_bytes_arrive(sent: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(b"data: " + one + b"\n\n" for one in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    async def read() -> list[bytes]:
        async def arriving():
            for chunk in chunks:
                yield chunk

        return [event async for event in events(arriving())]

    assert asyncio.run(read()) == sent
