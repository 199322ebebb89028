"""What the conformance kit can't know of a hub's plugin, for its author's file: a slow hub, and what settings of patience show in."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_sdk.testing.hub_models import model_files
from tunesmith_sdk.testing.loopback_hub import STRANGERS, LoopbackHub

SIZE = 2_000_000  # bytes of weights: 31 chunks
PAUSE = 0.05  # seconds between two chunks
SLOW = 6  # requests of a process that are answered so: those of the first downloads, in which it is stopped or killed


def slow_hub(server: LoopbackHub) -> Any:
    """The hub with a model `org/small` and a dataset `datasets/org/talks`; it ends with the process."""
    server.__enter__()
    server.add("org/small", model_files(SIZE))
    server.add("datasets/org/talks", {"train.jsonl": b'{"text": "a talk"}\n' * 100_000})
    for file in ("train.jsonl", "model.safetensors"):
        server.fault(file, times=SLOW, delay=PAUSE)
    return server


def only(variables: Mapping[str, str]) -> None:
    """An environment with these variables, and none that would lead a loader elsewhere."""
    for stranger in STRANGERS:
        os.environ.pop(stranger, None)
    os.environ.update(variables)


def failing_hub(hub: Any, address: str, setting: str, step: Any, build: Callable[[], Any]) -> Mapping[str, Any]:
    """A hub that fails twice: how long is waited before it is asked again. Or, of `mirrors`, one that is not there, and those.

    Args:
        hub: a `tunesmith_sdk.testing.loopback_hub.LoopbackHub`.
        address: of a model on it, as its loader takes it.
        setting: which one is looked at.
        build: makes the loader with the settings to try.
    """
    waits: list[Any] = []
    step.wait_cancelled = lambda seconds=None: waits.append(seconds) or False
    loader = build()
    if setting == "mirrors":
        mirrors = (hub.url,) * len(loader.settings.mirrors)
        gone = dataclasses.replace(loader.settings, endpoint="http://127.0.0.1:9", mirrors=mirrors, max_retries=0)
        try:
            return {"revision": type(loader)(gone).resolve(address, step).revision}
        except UserError as error:
            return {"error": error.code}
    hub.faults[:] = [fault for fault in hub.faults if fault.file != "api"]
    hub.fault("api", times=2, status=503)
    return {"revision": loader.resolve(address, step).revision, "waits": waits}
