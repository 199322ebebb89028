"""The worker protocol: what is sent arrives, and what is no message is refused with a code."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import TunesmithError
from tunesmith.isolation import protocol
from tunesmith.isolation.protocol import Connection, Decoder

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(), _json, max_size=3), max_size=5), st.integers(1, 40))
def test_messages_arrive_however_they_are_cut(params: list[dict], size: int) -> None:
    messages = [protocol.notification("$/log", p) for p in params]
    stream = b"".join(map(protocol.encode, messages))
    decoder = Decoder()
    got = [m for at in range(0, len(stream), size) for m in decoder.feed(stream[at : at + size])]
    assert got == messages


@given(st.binary(min_size=protocol.MAX_HEADER, max_size=600))
def test_garbage_is_a_coded_error(data: bytes) -> None:
    with pytest.raises(TunesmithError, match="TS-RUN-002"):
        list(Decoder().feed(data))


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"Content-Length: -4\r\n\r\n",
        b"Content-Length: 99999999999\r\n\r\n",
        b"Content-Length: 4\r\n\r\nnull",
        b"Content-Length: 5\r\n\r\n{\x80\x02}q",
        b'Content-Length: 35\r\n\r\n{"jsonrpc":"2.0","params":[1,2,3,4]}',
        b"x" * 300,
    ],
)
def test_what_is_no_message_is_refused(stream: bytes) -> None:
    with pytest.raises(TunesmithError) as caught:
        list(Decoder().feed(stream))
    assert caught.value.code == "TS-RUN-002"


def test_a_closed_connection_reads_as_none() -> None:
    here, there = socket.socketpair()
    near, far = Connection(here), Connection(there)
    near.send(protocol.request(1, "run", {"entry": "a:b"}))
    near.close()
    assert far.receive() == protocol.request(1, "run", {"entry": "a:b"})
    assert far.receive() is None
    far.close()


def test_a_diverged_loss_can_be_told() -> None:
    (message,) = Decoder().feed(protocol.encode(protocol.notification("$/metric", {"value": float("nan")})))
    assert message["params"]["value"] != message["params"]["value"]
