"""Questions to llama.cpp's own server."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

TIMEOUT = 3600.0  # seconds; a long prompt on a busy machine


class Refused(Exception):
    """llama.cpp's server answered with an error: HTTP `status` and its `body`."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(body.decode("utf-8", "replace")[:300])
        self.status, self.body = status, body


class Upstream:
    """A client of the server at `url`; used from several threads."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._ask("POST", path, json.dumps(body).encode())

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            read = reply.read()
            if reply.status != 200:
                raise Refused(reply.status, read)
            return json.loads(read)
        finally:
            connection.close()
