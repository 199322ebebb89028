"""The inference backend `transformers`: 32 conversations at once, over HTTP."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from device import Device
from models import WORDS, made
from told import Skip, Telling

from tunesmith.contracts import Address, Artifact

AT_ONCE = 32
LOADING = 120  # seconds
RUNTIME = ("uvicorn", "starlette", "prometheus_client", "jinja2")


def run(device: Device, folder: Path, tell: Telling) -> None:
    if lacking := [name for name in RUNTIME if find_spec(name) is None]:
        raise Skip(f"the backend needs {', '.join(lacking)}")
    from tunesmith_sdk.local_step import LocalStep
    from tunesmith_serve.settings import ServeSettings
    from tunesmith_transformers.backend import TransformersBackend
    from tunesmith_transformers.settings import TransformersSettings

    name, tokens = ("qwen3-0.6b", 128) if device.gpu else ("tiny", 8)
    model = made(name, folder, device.torch, device.compute)
    step = LocalStep.make(folder / "serving", settings=ServeSettings(), placement=device.placement)
    backend = TransformersBackend(TransformersSettings(max_num_seqs=AT_ONCE))
    server = _Server(lambda: backend.serve(Artifact("model/hf", model), "bench", Address(), step), step)
    try:
        url = server.address()
        _ask(url, 0, 4)
        started = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as clients:
            counts = list(clients.map(lambda number: _ask(url, number, tokens), range(AT_ONCE)))
        seconds = time.perf_counter() - started
    finally:
        server.stop()
    found = f"{sum(counts) / seconds:,.0f} tokens/s, {sum(counts)} tokens in {seconds:.2f} s"
    tell.measured(f"{name}, {device.compute}, {AT_ONCE} at once", found, tokens_per_second=sum(counts) / seconds, tokens=sum(counts))


def _ask(url: str, number: int, tokens: int) -> int:
    """Tokens of the answer."""
    question = f"Write about {WORDS[number % len(WORDS)]} and {number}."
    asked = {"model": "bench", "messages": [{"role": "user", "content": question}], "max_tokens": tokens, "temperature": 0}
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(asked).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)["usage"]["completion_tokens"]


class _Server:
    """A backend that serves in a thread."""

    def __init__(self, serve: Callable[[], None], step: Any) -> None:
        self._serve, self._step, self._failure = serve, step, None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def address(self) -> str:
        """When it answers; raises what made it fail."""
        self._step.reports.ready.wait(LOADING)
        if self._failure is not None:
            raise self._failure
        return self._step.reports.facts["url"]

    def stop(self) -> None:
        self._step.cancelled.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._serve()
        except Exception as error:
            self._failure = error
        finally:
            self._step.reports.ready.set()
