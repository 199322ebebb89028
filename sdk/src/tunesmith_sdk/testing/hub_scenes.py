"""What a loader's settings of patience and mirrors show in, for the author's file of a hub's plugin."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.errors import UserError


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
