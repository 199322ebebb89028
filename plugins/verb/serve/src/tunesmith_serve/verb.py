"""The verb ``serve``: a service, up for as long as its step runs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from tunesmith.contracts import Address, Step, UserError
from tunesmith.contracts.allowed_hosts import is_loopback
from tunesmith_serve.control_channel import ControlChannel
from tunesmith_serve.engine_supervisor import supervise

START_TIMEOUT = 900.0  # seconds that an engine which takes adapters may take to be up again


def run(step: Step) -> None:
    """Serve until the step is cancelled."""
    _heed_signals(step)
    settings, model = step.settings, step.inputs.get("model")
    name, address = settings.name or step.pipeline, Address(settings.host, settings.port, tuple(settings.allowed_hosts))
    backend = step.provider("inference_backend")
    with _control_channel(backend, address, step) if settings.updatable else nullcontext():
        if hasattr(backend, "serve"):
            backend.serve(model, name, address, step)
        else:
            supervise(lambda place: backend.engine(model, name, place, step), name, address, step)


@contextmanager
def _control_channel(backend: Any, address: Address, step: Any) -> Iterator[None]:
    """Within it the endpoint takes weights, and says so once it is up.

    Raises:
        UserError: TS-SERVE-066 where others than this machine could ask, TS-SERVE-067 where adapters are named that would stay,
            TS-SERVE-068 for a backend that takes none.
    """
    if not is_loopback(address.host):
        raise UserError(
            "TS-SERVE-066", f"a model that is updated while it is served would listen on {address.host}",
            why="Whoever reaches the engine there could give it other weights.", fix="Leave `host` at 127.0.0.1.",
        )  # fmt: skip
    if "adapters" in step.inputs:
        raise UserError(
            "TS-SERVE-067", "`adapters` are served as they are, and `updatable` serves what is trained",
            why="The training step gives its weights, each time they have changed.", fix="Leave one of them out.",
        )  # fmt: skip
    if not all(hasattr(backend, name) for name in ("takes", "distance", "load", "complete")):
        raise UserError(
            "TS-SERVE-068", f"{type(backend).__name__} takes no weights while it serves",
            why="It has not the methods of `tunesmith_serve.updatable.Updatable`.", fix="Serve by another backend, such as `vllm`.",
        )  # fmt: skip
    ready = step.ready
    with ControlChannel(backend, step.settings.start_timeout or START_TIMEOUT) as channel:
        step.ready = lambda **facts: ready(**channel.told(facts))
        yield


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
