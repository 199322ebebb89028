"""What an inference backend is observed at: the command of its engine, or the answers of the server in its worker."""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from tunesmith.contracts.kinds.inference_backend import Address
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.catalog import MATERIALS, observer
from tunesmith_sdk.conformance.checks import has
from tunesmith_sdk.conformance.materials.tiny_trained_model import SENTENCES

NAME, SHUTDOWN_GRACE = "under-test", 5.0
MANY, LIMIT = 12, 60.0  # requests of a burst; seconds for an answer
BURST = "many at a time"  #: the scene: a burst of requests
FREE = 8765  # a port that is named to an engine which is not started
MATERIALS["inference_backend"] = ("taught",)
LONG = "word " * 400  # of a request body that is larger than the smallest limit


@observer("inference_backend", scenes=(BURST,))
def observe(subject: Subject) -> dict[str, Any]:
    """How its engine would be started; of a server in its worker: what it answers."""
    backend, step = subject.build(), subject.step
    step.settings = SimpleNamespace(shutdown_grace=SHUTDOWN_GRACE, updatable=False)  # type: ignore[misc]
    if hasattr(backend, "engine"):
        engine = backend.engine(subject.source(), NAME, Address(port=FREE), step)
        if _program(engine.command).partition(".")[0] == subject.record.target.partition(".")[0]:
            return {"request.library": subject.author("engine_request", engine)}  # its own arguments are no request yet
        return {"request.engine": engine}
    step.cancelled = threading.Event()  # type: ignore[attr-defined]
    asked = _Client(step, burst=subject.effect.get("scene") == BURST, logprobs=has("api.logprobs")(subject.record))
    backend.serve(subject.source(), NAME, Address(), step)
    return {"answers": asked.answers()}


def _program(command: Sequence[str]) -> str:
    """The module or file that an interpreter is to run; of another program, its own."""
    words = list(command)
    return words[words.index("-m") + 1] if "-m" in words[:-1] else words[0]


class _Client:
    """Asks a server in the same process as soon as it is up, then asks it to stop."""

    def __init__(self, step: Any, *, burst: bool, logprobs: bool) -> None:
        self._step, self._burst, self._said = step, burst, step.notify
        self._options: dict[str, Any] = {"logprobs": True} if logprobs else {}
        self._found: list[Any] = []
        self._thread: threading.Thread | None = None
        step.notify = self._hear

    def _hear(self, method: str, params: Any) -> None:
        if method == "$/ready" and self._thread is None:
            self._thread = threading.Thread(target=self._ask, args=(params["url"],), daemon=True)
            self._thread.start()
        else:
            self._said(method, params)

    def _ask(self, url: str) -> None:
        try:
            if self._burst:
                with ThreadPoolExecutor(MANY) as pool:
                    found = list(pool.map(lambda _: _answer(url, "Who?", temperature=1.0, seed=1, max_tokens=60), range(MANY)))
                self._found = [sorted({status for status, _ in found})]
            else:
                self._found = [_answer(url, question, **self._options) for question, _ in SENTENCES[:2]]
                self._found += [_answer(url, LONG), _answer(url, SENTENCES[0][0], max_tokens=None)]
        finally:
            self._step.cancelled.set()

    def answers(self) -> list[Any]:
        if self._thread:
            self._thread.join(LIMIT)
        return self._found


def _answer(url: str, question: str, **options: Any) -> tuple[int, str]:
    """Status, and what is said."""
    said = {"temperature": 0, "max_tokens": 24} | options
    body = {"model": NAME, "messages": [{"role": "user", "content": question}]}
    body |= {name: value for name, value in said.items() if value is not None}
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            (choice,) = json.loads(answer.read())["choices"]
            return answer.status, json.dumps([choice["message"]["content"], choice.get("logprobs")])
    except urllib.error.HTTPError as error:
        with contextlib.suppress(ValueError):
            return error.code, str(json.loads(error.read()).get("error", {}).get("code"))
        return error.code, ""
