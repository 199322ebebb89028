"""Checks of inference backends: clients that are broken, greedy or slow cost nobody else anything."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import urllib.parse
from collections.abc import Iterator
from typing import Any

from tunesmith_sdk.conformance.bench.bench import Bench
from tunesmith_sdk.conformance.checks import CheckFailed, check
from tunesmith_sdk.conformance.hosted.serving import ANSWER, NAME, Served, served

_KIND = "inference_backend"
_CHAT = "/v1/chat/completions"
REQUESTS = 200  # malformed ones
LARGE = 100 * 2**20  # bytes of a body
SILENT = 50  # connections
NOT_IMPLEMENTED = 501  # the right answer to a method that it does not know

#: what stands where something else is expected; the last one is half of a pair of surrogates, which is no character
_JUNK: tuple[Any, ...] = (None, True, -1, 10**30, 0.5, "", "hot", [], [[]], {}, {"a": {"b": [None]}}, [{"role": 1}], "\x00", "\ud800")
_FIELDS = (
    "model",
    "messages",
    "prompt",
    "max_tokens",
    "temperature",
    "top_p",
    "seed",
    "n",
    "stop",
    "stream",
    "logprobs",
    "tools",
    "unknown",
)


def _malformed(drawn: random.Random) -> tuple[str, str, bytes]:
    """A method, a path and a body."""
    body: dict[str, Any] = {"model": NAME, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}
    for field in drawn.sample(_FIELDS, drawn.randint(1, 3)):
        body[field] = drawn.choice(_JUNK)
    data = json.dumps(body).encode()
    if drawn.random() < 0.3:
        data = drawn.choice((data[: drawn.randrange(len(data))], drawn.randbytes(drawn.randrange(300)), b"[" * 5000, b'"\xff\xfe"'))
    path = drawn.choice((_CHAT, _CHAT, _CHAT, "/v1/completions", "/v1/nothing", "/%ff", "/v1/../models", "/" + "a" * 3000))
    return drawn.choice(("POST", "POST", "POST", "POST", "GET", "PUT", "DELETE")), path, data


def _place(endpoint: Served) -> tuple[str, int]:
    url = urllib.parse.urlsplit(endpoint.url)
    return url.hostname or "", url.port or 80


@check(
    "inference_backend.malformed",
    kind=_KIND,
    at="host",
    title="no request, however malformed, gets 5xx, a traceback or no answer",
)
def malformed(bench: Bench) -> Iterator[CheckFailed]:
    endpoint, drawn, bad = served(bench), random.Random(0), 0
    for _ in range(REQUESTS):
        method, path, body = _malformed(drawn)
        connection = http.client.HTTPConnection(*_place(endpoint), timeout=ANSWER)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            status, text = 0, str(error).encode()
        finally:
            connection.close()
        if (status not in range(200, 500) and status != NOT_IMPLEMENTED) or b"Traceback (most recent" in text:
            bad += 1
            if bad > 5:  # so many are told
                break
            yield CheckFailed(f"{method} {path[:40]} with {body[:120]!r} gets {status or 'no answer'}", found=repr(text[:160]),
                              fix="Check each field's type and range before it reaches the model; answer 400 or 422.")  # fmt: skip
    endpoint.alive()


@check("inference_backend.large-bodies", kind=_KIND, at="host", title="a body of 100 MB is refused, and the next request answered")
def large_bodies(bench: Bench) -> None:
    endpoint = served(bench)
    begun = json.dumps({"model": NAME, "max_tokens": 2, "messages": [{"role": "user", "content": ""}]}).encode()
    head, tail = begun[: -len(b'"}]}')], b'"}]}'
    connection = http.client.HTTPConnection(*_place(endpoint), timeout=ANSWER)
    try:
        length = str(len(head) + LARGE + len(tail))
        pieces = iter((head, *(b"a capital " * 104858 for _ in range(LARGE // 1048580)), b" " * (LARGE % 1048580), tail))
        connection.request("POST", _CHAT, pieces, {"Content-Type": "application/json", "Content-Length": length})
        status = connection.getresponse().status
    except TimeoutError:
        raise CheckFailed(f"a body of 100 MB has no answer within {ANSWER:.0f} s", fix="Refuse it by its Content-Length: 413.") from None
    except (OSError, http.client.HTTPException):  # whether a client sees the answer or a closed door first is a race that HTTP has
        status = 413
    finally:
        connection.close()
    if not 400 <= status < 500:
        raise CheckFailed(f"a body of 100 MB gets {status}", fix="Refuse it by its Content-Length: 413.")
    endpoint.alive()


@check("inference_backend.half-open", kind=_KIND, at="host", title="clients that say half a request and no more keep nobody else waiting")
def half_open(bench: Bench) -> None:
    endpoint = served(bench)
    host, port = _place(endpoint)
    halves = (
        b"",
        b"POST ",
        f"POST {_CHAT} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{{".encode(),
    )
    with contextlib.ExitStack() as stack:
        for number in range(SILENT):
            client = stack.enter_context(socket.create_connection((host, port), timeout=ANSWER))
            client.sendall(halves[number % len(halves)])
        try:
            endpoint.alive()
        except CheckFailed:
            raise
        except Exception as error:
            raise CheckFailed(f"beside {SILENT} clients that are silent it gives no answer: {type(error).__name__}", found=str(error)[:120],
                              fix="Wait for each connection on its own, and close one that says nothing.") from error  # fmt: skip
    endpoint.alive()
