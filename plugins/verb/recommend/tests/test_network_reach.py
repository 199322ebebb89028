"""Which addresses answer: asked of servers on this machine, never where the user is offline."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest

from tunesmith_recommend.commands.probe import probe_text
from tunesmith_recommend.machine.network import reached

ADDRESSES: dict[str, str] = {}


def refusing() -> str:
    return ADDRESSES["refusing"]


def nobody() -> str:
    return ADDRESSES["nobody"]


def broken() -> str:
    raise RuntimeError("it is not configured")


def registry(*names: str) -> SimpleNamespace:
    records = {name: SimpleNamespace(name=name, facts={"reach": f"{__name__}:{name}"}) for name in names}
    return SimpleNamespace(providers=lambda kind: records if kind == "model_loader" else {})


class Refusing(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 - shared with the test

    def do_HEAD(self) -> None:
        self.asked.append(self.path)
        self.send_response(403)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Refusing.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        ADDRESSES["nobody"] = f"http://127.0.0.1:{free.getsockname()[1]}"
    ADDRESSES["refusing"] = f"http://127.0.0.1:{server.server_port}/simple?token=secret"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


def test_a_refusal_is_an_answer_and_silence_is_none():
    found = reached(registry("refusing", "nobody", "broken"), timeout=2)
    assert [one["answers"] for one in found] == [True, False, False]
    assert found[0]["address"].endswith("/simple")
    assert found[1]["why"]
    assert found[2]["why"] == "it is not configured"
    page = probe_text(
        {"here": True, "devices": {}, "disk": {}, "platform": "", "processors": 2, "providers": {}, "remarks": [], "network": found}
    )
    assert "/simple answers" in page
    assert "does not answer: it is not configured" in page
    assert "secret" not in page


def test_nobody_is_asked_where_the_user_is_offline():
    assert reached(registry("refusing"), offline=True) == []
    assert Refusing.asked == []
