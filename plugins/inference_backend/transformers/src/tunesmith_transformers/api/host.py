"""A served model's HTTP side: up before its engine is, so that ``/health`` says `loading`, and there until the engine has ended."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from tunesmith.contracts import Address
from tunesmith_transformers.api.app import make_app
from tunesmith_transformers.api.server import HttpServer, listen, url_of
from tunesmith_transformers.api.service import Service


class Host:
    """Listens from when it is made, and answers within its ``with`` block, at whose end the engine is ended, too.

    Args:
        name: the model's, in requests.
        options: further ones of `Service`.

    Raises:
        UserError: TS-SERVE-001 when the port is in use.
    """

    def __init__(self, name: str, address: Address, **options: Any) -> None:
        self._listener = listen(address)
        self.url = url_of(self._listener)
        self.service = Service(name, address, created=int(time.time()), **options)
        self.server = HttpServer(make_app(self.service), self._listener)

    def __enter__(self) -> Host:
        self.server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.service.state = "draining"
        if self.service.engine is not None:
            self.service.engine.close()
        if self.service.vision is not None:
            self.service.vision.close()
        if self.service.pooler is not None:
            self.service.pooler.stop()
        self.server.stop()
        self.service.close()
        self._listener.close()

    def ready(self) -> None:
        """The service has its engine: requests are answered from now on."""
        self.service.state = "ready"

    @property
    def failure(self) -> str:
        """Why it can't go on; empty while it can."""
        return self.service.worker.error or ("" if self.server.alive else "its HTTP thread ended")

    @property
    def under_way(self) -> int:
        """Answers that have not ended."""
        return self.service.worker.under_way

    def drain(self, timeout: float) -> bool:
        """Take nothing new and wait for what runs; False if something was still running after `timeout` seconds."""
        self.service.state = "draining"
        return self.service.worker.drain(timeout)
