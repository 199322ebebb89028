"""The middleware that keeps other people's pages out of engines' own servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tunesmith.contracts import Address
from tunesmith_serve.local_names import LocalNames, variables

Sent = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def listening(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(Address("127.0.0.1", 8123, ("llm.example",))).items():
        monkeypatch.setenv(name, value)


def ask(path: str = "/health", method: str = "GET", closed: tuple[str, ...] = (), kind: str = "http", **headers: str) -> tuple[Sent, Sent]:
    """(what is answered, the scopes that the application was given)."""
    answered: Sent = []
    given: Sent = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        given.append(scope)
        await send({"type": "http.response.start", "status": 200})

    async def receive() -> dict[str, str]:
        return {"type": f"{kind}.connect"}

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    named = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    scope = {"type": kind, "method": method, "path": path, "headers": named}
    asyncio.run(LocalNames(app, closed)(scope, receive, send))
    return answered, given


@pytest.mark.parametrize(
    ("host", "status"), [("localhost:8123", 200), ("127.0.0.1", 200), ("[::1]:8123", 200), ("llm.example", 200), ("evil.example", 403)]
)
def test_a_name_that_only_leads_here_is_refused(host: str, status: int) -> None:
    assert ask(host=host)[0][0]["status"] == status


@pytest.mark.parametrize(("kind", "status"), [("application/json; charset=utf-8", 200), ("text/plain", 415), ("", 415)])
def test_a_body_says_that_it_is_json(kind: str, status: int) -> None:
    assert ask("/v1/completions", "POST", host="localhost", content_type=kind)[0][0]["status"] == status


def test_an_origin_is_taken_off_so_that_no_browser_is_told_to_share_the_answer() -> None:
    (scope,) = ask(host="localhost", origin="https://evil.example", accept="*/*")[1]
    assert scope["headers"] == [(b"host", b"localhost"), (b"accept", b"*/*")]


def test_closed_paths_are_answered_here() -> None:
    answered, given = ask("/update_weights_from_ipc", "POST", ("/update_weights",), host="localhost", content_type="application/json")
    assert (answered[0]["status"], given) == (403, [])


def test_websockets_are_closed() -> None:
    answered, given = ask("/v1/realtime", kind="websocket", host="localhost")
    assert (answered, given) == ([{"type": "websocket.close", "code": 1008}], [])
