"""A small server elsewhere: it answers who has the key, and can be told to fail. A fake: no model is behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = "It is Paris."


class SmallServer:
    """
    Args:
        key: whoever sends another gets status 401, and in it what was sent.
        models: that it lists; None: it has no such route.
        wait: seconds that it falls silent in the middle of an answer.
    """

    def __init__(self, key: str, models: tuple[str, ...] | None, wait: float) -> None:
        self.key, self.models, self.wait = key, models, wait
        self.asked: list[dict[str, Any]] = []  #: bodies of requests, each with the ``key`` and the ``path`` that it came with
        self.left = threading.Event()  #: a client has hung up in the middle of an answer
        self.going_on = threading.Event()  #: set: it is silent no longer
        self.stopped = False
        handler = type("Handler", (_Handler,), {"small": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.stopped = True
        self.going_on.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    small: SmallServer

    def log_message(self, *_: Any) -> None:
        """Silent."""

    def do_GET(self) -> None:
        if self.small.models is None:
            return self._send(404, {"detail": "Not Found"})
        if not self.path.endswith("/models"):
            name = self.path.partition("/models/")[2]
            return self._send(200 if name == "listed-nowhere" else 404, {"id": name})
        self._send(200, {"data": [{"id": name} for name in self.small.models]})

    def do_POST(self) -> None:
        if self.small.stopped:  # on a connection from before: it hangs up
            self.close_connection = True
            return None
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.small.asked.append({**body, "key": self.headers.get("Authorization", ""), "path": self.path})
        if body.get("user") == "moved":
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:9/v1/chat/completions")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if body.get("stream"):
            return self._stream()
        self._send(200, {"choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}]})

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        if self.small.key and self.headers["Authorization"] != f"Bearer {self.small.key}":
            status, answer = 401, {"error": {"message": f"wrong: {self.headers['Authorization']}"}}
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        half = len(data) // 2
        self._write(data[:half])
        if self.command == "POST" and self.small.wait:
            self.small.going_on.wait(self.small.wait)
        self._write(data[half:])

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self._write(b'data: {"choices": [{"index": 0, "delta": {"content": "It"}}]}\n\n')
        for _ in range(int(self.small.wait * 20)):  # comments: a client that has gone is noticed by them
            if self.small.going_on.wait(0.05) or not self._write(b": still here\n\n"):
                break
        self._write(b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')

    def _write(self, data: bytes) -> bool:
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            self.small.left.set()
            return False
        return True


@contextmanager
def small_server(
    *, key: str = "", models: tuple[str, ...] | None = ("acme-large", "acme-small"), wait: float = 0.0
) -> Iterator[SmallServer]:
    server = SmallServer(key, models, wait)
    server.start()
    try:
        yield server
    finally:
        server.stop()
