"""Whether an engine answers: asked in a thread of its own, so that one that hangs holds up nobody."""

from __future__ import annotations

import http.client
import threading

ASK_STARTING, ASK_UP = 0.2, 5.0  # seconds between two questions before it has answered, and after
PATIENCE = 10.0  # seconds to wait for an answer


class Health:
    """Asks an HTTP path until `close`; without a path it counts as healthy.

    `answered` is set with the first 200; `misses` counts the questions since the last one.
    """

    def __init__(self, host: str, port: int, path: str) -> None:
        self._host, self._port, self._path = host, port, path
        self.answered = threading.Event()
        self.misses = 0
        self._closed = threading.Event()
        if path:
            threading.Thread(target=self._ask, name="engine-health", daemon=True).start()
        else:
            self.answered.set()

    def close(self) -> None:
        self._closed.set()

    def _ask(self) -> None:
        while not self._closed.wait(ASK_UP if self.answered.is_set() else ASK_STARTING):
            if self._answers():
                self.misses = 0
                self.answered.set()
            else:
                self.misses += 1

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE)
        try:
            connection.request("GET", self._path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
