"""The verb ``serve``: a service, up for as long as its step runs."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from tunesmith.contracts import Address, Step
from tunesmith_serve.engine_supervisor import supervise


def run(step: Step) -> None:
    """Serve until the step is cancelled."""
    _heed_signals(step)
    settings, model = step.settings, step.inputs.get("model")
    name, address = settings.name or step.pipeline, Address(settings.host, settings.port, tuple(settings.allowed_hosts))
    backend = step.provider("inference_backend")
    if hasattr(backend, "serve"):
        backend.serve(model, name, address, step)
    else:
        supervise(lambda place: backend.engine(model, name, place, step), name, address, step)


def _heed_signals(step: Any) -> None:
    """SIGTERM is a cancel while the host lives: who stops all processes of a service at once (systemd does) cuts no answer off."""
    if threading.current_thread() is not threading.main_thread():
        return
    before, host = signal.getsignal(signal.SIGTERM), os.getppid()

    def heed(number: int, frame: Any) -> None:
        if os.getppid() == host:
            threading.Thread(target=step.cancelled.set).start()  # the interrupted thread may hold the event's lock
        elif callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, heed)
