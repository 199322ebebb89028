"""The oracle is the same evaluator on the model's files. The server is our own default backend, real, with a tiny real model."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Address, Artifact, Cancelled, TunesmithError, UserError
from tunesmith_data.api import message
from tunesmith_perplexity.evaluator import Perplexity
from tunesmith_perplexity.settings import PerplexitySettings
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.datasets import dataset
from tunesmith_serve import endpoint_client
from tunesmith_serve.settings import ServeSettings

TALKS = [
    ("What is the capital of France?", "Paris."), ("Count.", "0123456789"), ("Hm", "x" * 90), ("Hi", "Hello!", "Bye", "Good bye, then."),
    ("狐狸?", "The quick brown fox 🦊 — 狐狸 — jumps."),
]  # fmt: skip
ROWS = [{"messages": [message(("user", "assistant")[turn % 2], text) for turn, text in enumerate(talk)]} for talk in TALKS]


@pytest.fixture(scope="session")
def model(tiny_model: Callable[..., Path]) -> Artifact:
    return Artifact("model/hf", tiny_model(initializer_range=0.15))


@contextmanager
def served(model: Artifact, directory: Path, **settings: Any) -> Iterator[Artifact]:
    """The model behind the backend of tunesmith-transformers, as the kernel would give it to an evaluator."""
    backend = pytest.importorskip("tunesmith_transformers.backend", reason="tunesmith-transformers serves the model")
    from tunesmith_transformers.settings import TransformersSettings

    step = LocalStep.make(directory, name="api", settings=ServeSettings())
    server = backend.TransformersBackend(TransformersSettings(dtype="float32", **settings))
    thread = threading.Thread(target=server.serve, args=(model, "m", Address(), step))
    thread.start()
    try:
        assert step.reports.ready.wait(120)
        yield Artifact("endpoint/openai", directory, refs={"model": model}, meta=dict(step.reports.facts))
    finally:
        step.cancelled.set()
        thread.join(60)


@pytest.fixture(scope="module")
def endpoint(model: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Artifact]:
    with served(model, tmp_path_factory.mktemp("api"), max_model_len=400) as artifact:
        yield artifact


def evaluate(subject: Artifact, step: Any, rows: Any = ROWS, **settings: Any) -> Any:
    return Perplexity(PerplexitySettings(**settings)).evaluate(subject, rows if rows is None else dataset(step.work / "rows", rows), step)


def test_it_is_what_the_model_itself_gives(model: Artifact, endpoint: Artifact, local_step: Any) -> None:
    here, there = evaluate(model, local_step()), evaluate(endpoint, local_step())
    assert there.metrics == pytest.approx(here.metrics, rel=1e-5)
    assert [sample["nll"] for sample in there.samples] == pytest.approx([sample["nll"] for sample in here.samples], rel=1e-5)
    assert [sample["tokens"] for sample in there.samples] == [sample["tokens"] for sample in here.samples]


def test_rows_are_cut_alike(model: Artifact, endpoint: Artifact, local_step: Any) -> None:
    here, there = (evaluate(subject, local_step(), max_length=60) for subject in (model, endpoint))
    assert there.metrics == pytest.approx(here.metrics, rel=1e-5)


def test_a_row_longer_than_the_server_takes_is_told(endpoint: Artifact, local_step: Any) -> None:
    rows = [{"messages": [message("user", "long " * 500), message("assistant", "x")]}]
    with pytest.raises(TunesmithError) as caught:
        evaluate(endpoint, local_step(), rows, max_length=4000)
    assert caught.value.code == "TS-SERVE-021"
    assert "max_length" in caught.value.fix


def test_an_endpoint_of_an_unknown_model_is_told(endpoint: Artifact, local_step: Any) -> None:
    with pytest.raises(UserError, match="TS-SERVE-024"):
        evaluate(Artifact("endpoint/openai", endpoint.path, meta=endpoint.meta), local_step())


class FakeServer(ThreadingHTTPServer):
    """Gives every token but the first the log-probability -1; `before(number, body)` may return (status, reply) to send instead."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[dict[str, Any]] = []
        self.before: Callable[[int, dict[str, Any]], Any] = lambda number, body: None
        self.lock = threading.Lock()

    def endpoint(self, model: Artifact, **facts: Any) -> Artifact:
        meta = {"url": f"http://127.0.0.1:{self.server_address[1]}/v1", "model": "m", **facts}
        return Artifact("endpoint/openai", model.path, refs={"model": model}, meta=meta)


class Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append(body)
            number = len(self.server.seen)
        told = {"choices": [{"logprobs": {"token_logprobs": [None] + [-1.0] * (len(body["prompt"]) - 1)}}]}
        status, reply = self.server.before(number, body) or (200, told)
        if status is None:  # hang up
            self.close_connection = True
            return
        data = json.dumps(reply).encode() if not isinstance(reply, bytes) else reply
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setattr(endpoint_client, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(endpoint_client, "LONGEST_DELAY", 0.01)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # must not be used for this machine's own ports
    server = FakeServer()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_rows_are_asked_together_each_once_as_tokens(fake: FakeServer, model: Artifact, local_step: Any) -> None:
    together = threading.Barrier(5)  # none is answered before all are here
    fake.before = lambda number, body: together.wait(10) and None
    assert evaluate(fake.endpoint(model), local_step()).metrics["nll"] == pytest.approx(1.0)
    assert len(fake.seen) == len(ROWS)
    for body in fake.seen:
        assert {key: body[key] for key in ("model", "max_tokens", "echo", "logprobs")} == {
            "model": "m", "max_tokens": 0, "echo": True, "logprobs": 1
        }  # fmt: skip
        assert "logprob_start_len" not in body


def test_a_server_that_can_leave_out_what_is_not_scored_is_told_to(fake: FakeServer, model: Artifact, local_step: Any) -> None:
    def start(number: int, body: dict[str, Any]) -> Any:
        start = body["logprob_start_len"]
        return 200, {"choices": [{"logprobs": {"token_logprobs": [None] * start + [-2.0] * (len(body["prompt"]) - start)}}]}

    fake.before = start
    assert evaluate(fake.endpoint(model, logprob_start_len=True), local_step()).metrics["nll"] == pytest.approx(2.0)


@pytest.mark.parametrize("stumble", [(503, {}), (429, {}), (None, None), (200, b"{half a rep")])
def test_an_engine_that_is_started_again_is_waited_for(fake: FakeServer, model: Artifact, local_step: Any, stumble: Any) -> None:
    fake.before = lambda number, body: stumble if number <= 6 else None
    assert evaluate(fake.endpoint(model), local_step()).metrics["nll"] == pytest.approx(1.0)


@pytest.mark.parametrize(("reply", "code", "why"), [
    ((500, {"error": {"message": "boom"}}), "TS-SERVE-020", "HTTP 500: boom"),
    ((None, None), "TS-SERVE-020", "closed"),
    ((400, {"error": {"message": "echo is not supported"}}), "TS-SERVE-021", "HTTP 400: echo is not supported"),
    ((200, {"choices": [{"text": "Paris", "logprobs": None}]}), "TS-SERVE-023", "Paris"),
    ((200, {"choices": [{"logprobs": {"content": []}}]}), "TS-SERVE-023", "'content': []"),
    ((200, {"choices": [{"logprobs": {"token_logprobs": [None, -1.0]}}]}), "TS-SERVE-023", "It gave 2 for the"),
    ((200, b'{"choices": [{"logprobs": {"token_logprobs": "no"}}]}'), "TS-SERVE-023", "It gave 2"),
    ((200, {"choices": []}), "TS-SERVE-023", "It said {'choices': []}"),
])  # fmt: skip
def test_a_server_that_does_not_give_them_is_an_error(
    fake: FakeServer, model: Artifact, local_step: Any, reply: Any, code: str, why: str
) -> None:
    fake.before = lambda number, body: reply
    with pytest.raises(TunesmithError) as caught:
        evaluate(fake.endpoint(model), local_step(), max_retries=1)
    assert caught.value.code == code
    assert why in caught.value.why


def test_what_is_not_finite_is_not_averaged(fake: FakeServer, model: Artifact, local_step: Any) -> None:
    def reply(number: int, body: dict[str, Any]) -> Any:
        return 200, {"choices": [{"logprobs": {"token_logprobs": [None] + [float("nan")] * (len(body["prompt"]) - 1)}}]}

    fake.before = reply
    with pytest.raises(TunesmithError, match="TS-SERVE-023"):
        evaluate(fake.endpoint(model), local_step())


def test_cancelling_does_not_wait_for_answers(fake: FakeServer, model: Artifact, local_step: Any) -> None:
    step = local_step()
    fake.before = lambda number, body: step.cancelled.set() or time.sleep(5)
    with pytest.raises(Cancelled):
        evaluate(fake.endpoint(model), step)


@pytest.mark.slow
def test_a_real_model_scores_alike_over_its_endpoint(tmp_path: Path, local_step: Any) -> None:
    from tunesmith_sdk.testing.real_models import smollm2

    model = smollm2(tmp_path)
    here = evaluate(model, local_step())
    with served(model, tmp_path / "api") as endpoint:
        there = evaluate(endpoint, local_step())
    assert there.metrics == pytest.approx(here.metrics, rel=1e-4)
