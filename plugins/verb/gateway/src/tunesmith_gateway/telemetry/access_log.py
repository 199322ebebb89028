"""A line of JSON for each request: who, what, how it went and how long it took; what was said only where the configuration asks for it."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any, TextIO

from tunesmith_gateway.request.exchange import Exchange


class AccessLog:
    """
    Args:
        place: a file, ``-`` for stderr, empty for none.
        contents: also the requests, word for word.
    """

    def __init__(self, place: str, contents: bool) -> None:
        self._contents, self._own = contents, place not in ("", "-")
        self._file: TextIO | None = sys.stderr if place == "-" else open(place, "a", encoding="utf-8", buffering=1) if place else None  # noqa: SIM115

    def add(self, exchange: Exchange) -> None:
        if self._file is None:
            return
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "request": exchange.id, "key": exchange.client,
            "path": exchange.path[:200], "model": exchange.model, "version": exchange.version, "upstream": exchange.upstream,
            "status": exchange.status, "outcome": exchange.outcome, "attempts": exchange.attempts, "resumed": exchange.resumed,
            "seconds": round(exchange.seconds, 4), "first_byte_seconds": round(exchange.first, 4),
            "received_bytes": len(exchange.body.raw) if exchange.body else 0, "sent_bytes": exchange.sent,
        }  # fmt: skip
        if self._contents and exchange.body:
            line["content"] = exchange.body.data
        with contextlib.suppress(OSError, ValueError):  # a full disk behind the log stops no request
            print(json.dumps(line), file=self._file, flush=True)

    def close(self) -> None:
        if self._file is not None and self._own:
            self._file.close()
