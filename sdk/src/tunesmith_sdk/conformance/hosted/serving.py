"""A backend under test as users have it: served by the verb that serves all, asked by OpenAI's own client."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith_sdk.conformance.bench.worker_process import Running
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun

if TYPE_CHECKING:
    from tunesmith_sdk.conformance.bench.bench import Bench

NAME = "under-test"
SERVE = "tunesmith_serve.verb:run"  # the verb
UP = 600.0  # seconds until it answers
ANSWER = 120.0  # seconds for one answer, on a busy machine


class Served:
    """A running endpoint.

    Args:
        client: an `openai.OpenAI` for it, that tries nothing twice.
    """

    def __init__(self, worker: Running, client: Any) -> None:
        assert worker.ready is not None
        self.worker, self.client, self.url = worker, client, str(worker.ready["url"])

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def ask(self, question: str = "What is the capital of France?", **options: Any) -> Any:
        """A chat completion, greedy unless told otherwise."""
        messages = [{"role": "user", "content": question}]
        return self.client.chat.completions.create(model=NAME, messages=messages, **({"temperature": 0, "max_tokens": 32} | options))

    def post(self, route: str, body: bytes) -> int:
        """The status of a raw request; 0 where there is no answer."""
        request = urllib.request.Request(f"{self.root}{route}", body, {"Content-Type": "application/json"})
        return _status(request)

    def get(self, route: str) -> int:
        return _status(urllib.request.Request(f"{self.root}{route}"))

    def alive(self) -> None:
        """It answers as it did.

        Raises:
            CheckFailed: it does not.
        """
        self.worker.look()
        if self.worker.done or not self.ask().choices:
            raise CheckFailed("afterwards it does not answer any more", found=self.worker.last_words(), fix="See its output.")


def _status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=ANSWER) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def serve_request(bench: Bench, **settings: Any) -> Mapping[str, Any]:
    """The step of the verb that serves the provider's model; `settings` are the step's."""
    record = bench.record
    model = bench.source()
    config = Path(model.path) / "config.json"
    meta = {"config": json.loads(config.read_text(encoding="utf-8"))} if config.is_file() else {}
    chosen = {"kind": record.kind, "target": record.target, "settings_class": record.settings, "settings": dict(bench.values)}
    return {
        "settings": {"name": NAME, **settings}, "settings_class": "tunesmith_serve.settings:ServeSettings",
        "distribution": "tunesmith-serve",
        "inputs": {"model": {**model.to_json(), "meta": meta}},
        "choices": {"inference_backend": {**chosen, "distribution": record.distribution}},
    }  # fmt: skip


@contextmanager
def serving(bench: Bench, **settings: Any) -> Iterator[Served]:
    """An endpoint of the block's own, of a step with these settings."""
    try:
        from openai import OpenAI
    except ImportError:
        raise NotRun("OpenAI's client is not installed", where="pip install 'tunesmith-sdk[serving]'") from None
    with bench.working(SERVE, step=serve_request(bench, **settings)) as worker:
        if not worker.until(lambda: worker.ready is not None, UP):
            error = worker.error() if worker.done else None
            raise CheckFailed(
                f"it does not come up: {error or f'nothing for {UP:.0f} s'}", found=worker.last_words(), fix="See its output."
            )
        assert worker.ready is not None
        with OpenAI(base_url=str(worker.ready["url"]), api_key="none", timeout=ANSWER, max_retries=0) as client:
            yield Served(worker, client)


def served(bench: Bench) -> Served:
    """The endpoint that the checks of a provider share; started at the first, and again where one of them has brought it down."""
    if bench.kept is not None:
        bench.kept.worker.look()
    if bench.kept is None or bench.kept.worker.done:
        bench.kept = bench.stack.enter_context(serving(bench))
    return bench.kept  # type: ignore[no-any-return]
