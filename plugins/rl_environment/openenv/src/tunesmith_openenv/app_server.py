"""An application of OpenEnv's, served in this process: once for all episodes."""

from __future__ import annotations

import importlib
import threading
import time
from functools import cache
from typing import Any

_START_TIMEOUT = 60.0


@cache
def served(app: str) -> str:
    """Its address.

    Args:
        app: ``module:attribute``.

    Raises:
        ImportError, AttributeError: there is no such application.
        RuntimeError: it does not come up.
    """
    import uvicorn

    module, _, name = app.partition(":")
    found: Any = getattr(importlib.import_module(module), name)
    server = uvicorn.Server(uvicorn.Config(found, host="127.0.0.1", port=0, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    until = time.monotonic() + _START_TIMEOUT
    while not server.started:
        if time.monotonic() > until or server.should_exit:
            raise RuntimeError(f"{app} does not come up; what it wrote stands in the log")
        time.sleep(0.02)
    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
