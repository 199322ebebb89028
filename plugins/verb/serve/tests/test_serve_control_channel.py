"""The control channel between a training step and what writes its completions. The backend is a fake, the HTTP is real."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact, Cancelled, TunesmithError, UserError
from tunesmith_sdk.local_step import LocalStep
from tunesmith_serve import verb as serve
from tunesmith_serve.control_channel import ControlChannel, ControlConnection
from tunesmith_serve.sampler_client import SamplerClient
from tunesmith_serve.settings import ServeSettings
from tunesmith_serve.updatable import EngineFailed, SampledCompletion, SamplingOptions

OPTIONS = SamplingOptions(1, 4, 1.0, (), (2,))


class FakeBackend:
    """Repeats each prompt, as the version that was loaded."""

    def __init__(self) -> None:
        self.distance, self.takes = {"float32": 0.5}, ("adapter/peft",)
        self.version, self.wrong = -1, None
        self.options: Any = None

    def load(self, url: str, weights: Artifact, version: int) -> None:
        if self.wrong:
            raise self.wrong
        self.version = version

    def complete(self, url: str, prompts: Any, seeds: Any, options: SamplingOptions) -> list[list[SampledCompletion]]:
        if self.wrong:
            raise self.wrong
        self.options = options
        return [
            [SampledCompletion(self.version, prompt, [-1.0] * len(prompt), seed > 0)] for prompt, seed in zip(prompts, seeds, strict=True)
        ]


class Health(BaseHTTPRequestHandler):
    up = True

    def do_GET(self) -> None:
        self.send_response(200 if Health.up else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def facts(backend: FakeBackend) -> Iterator[dict[str, Any]]:
    Health.up = True
    engine = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    with ControlChannel(backend, 2.0) as channel:
        yield channel.told({"url": f"http://127.0.0.1:{engine.server_port}/v1", "dtype": "bfloat16"})
    engine.shutdown()
    engine.server_close()


def client(facts: dict[str, Any], check: Any = lambda: None) -> SamplerClient:
    return SamplerClient(Artifact("endpoint/openai", Path(), meta=facts), "writer", check)


def test_what_is_asked_reaches_the_backend_and_the_version_comes_back(facts: Any, backend: FakeBackend, tmp_path: Path) -> None:
    sampler = client(facts)
    sampler.load(Artifact("adapter/peft", tmp_path), 5)
    assert sampler.complete([[1, 2], [3]], [0, 9], OPTIONS) == [
        [SampledCompletion(5, [1, 2], [-1.0, -1.0], False)], [SampledCompletion(5, [3], [-1.0], True)],
    ]  # fmt: skip
    assert backend.options == OPTIONS
    assert (sampler.distance, sampler.dtype) == ({"float32": 0.5}, "bfloat16")


def test_an_adapter_waits_for_an_engine_that_is_started_again(facts: Any, tmp_path: Path) -> None:
    Health.up = False
    threading.Timer(0.5, lambda: setattr(Health, "up", True)).start()
    before = time.monotonic()
    client(facts).load(Artifact("adapter/peft", tmp_path), 1)
    assert time.monotonic() - before > 0.4
    Health.up = False
    with pytest.raises(TunesmithError, match="TS-TRAIN-136") as caught:
        client(facts).load(Artifact("adapter/peft", tmp_path), 2)
    assert "not up within 2 s" in caught.value.why


def test_what_the_backend_says_comes_back_by_its_code(facts: Any, backend: FakeBackend, tmp_path: Path) -> None:
    backend.wrong = UserError("TS-SERVE-065", "it can't", why="Its rank.", fix="Another.")
    with pytest.raises(UserError, match="TS-SERVE-065") as caught:
        client(facts).load(Artifact("adapter/peft", tmp_path), 1)
    assert (caught.value.why, caught.value.fix) == ("Its rank.", "Another.")
    backend.wrong = EngineFailed("out of memory")
    with pytest.raises(TunesmithError, match="TS-TRAIN-136") as failed:
        client(facts).complete([[1]], [0], OPTIONS)
    assert failed.value.why == "out of memory"


def test_a_step_that_is_cancelled_does_not_wait_for_an_answer(facts: Any, tmp_path: Path) -> None:
    Health.up = False

    def cancelled() -> None:
        raise Cancelled("solve")

    with pytest.raises(Cancelled):
        client(facts, cancelled).load(Artifact("adapter/peft", tmp_path), 1)


def test_an_endpoint_without_a_channel_is_refused() -> None:
    with pytest.raises(UserError, match="TS-TRAIN-133"):
        client({"url": "http://127.0.0.1:1/v1"})


def test_a_channel_that_is_gone_is_told(facts: Any) -> None:
    with pytest.raises(TunesmithError, match="TS-TRAIN-136"):
        client({**facts, "control": "/nowhere"}).complete([[1]], [0], OPTIONS)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/load", b"{"),
        ("/load", b"{}"),
        ("/other", b"{}"),
        ("/complete", b'{"prompts": [[1]], "seeds": [], "options": {}}'),
        ("/complete", b'{"prompts": [["a"]], "seeds": [1], "options": {}}'),
        ("/load", b"[]"),
    ],
)
def test_what_makes_no_sense_is_refused(facts: Any, path: str, body: bytes) -> None:
    connection = ControlConnection(facts["control"], 10.0)
    connection.request("POST", path, body)
    answer = connection.getresponse()
    assert answer.status == 400
    assert json.loads(answer.read())["why"]
    connection.close()


NOBODY = 65534
ASK = """
import os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
socket.socket(socket.AF_UNIX).connect(sys.argv[1])
"""


def test_nobody_but_this_user_reaches_the_channel(facts: Any) -> None:
    path = Path(facts["control"])
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert (stat.S_IMODE(path.parent.stat().st_mode), path.parent.stat().st_uid) == (0o700, os.getuid())
    if os.getuid() == 0:  # only root can be somebody else for a moment
        asked = subprocess.run([sys.executable, "-Sc", ASK, str(path), str(NOBODY)], capture_output=True, text=True, check=False)
        assert "PermissionError" in asked.stderr
        own = subprocess.run([sys.executable, "-Sc", ASK, str(path), "0"], capture_output=True, text=True, check=False)
        assert own.stderr == ""


def test_the_channel_listens_at_no_port_and_its_socket_goes_with_it(backend: FakeBackend) -> None:
    with ControlChannel(backend, 2.0) as channel:
        assert channel.socket.exists()
        assert channel.told({"url": "http://127.0.0.1:1/v1"})["control"] == str(channel.socket)
        assert channel._server.socket.family == socket.AF_UNIX
    assert not channel.socket.parent.exists()


@pytest.mark.parametrize(
    ("code", "settings", "more"),
    [("TS-SERVE-066", {"host": "0.0.0.0"}, {}), ("TS-SERVE-067", {}, {"adapters": "x"}), ("TS-SERVE-068", {}, {})],
)
def test_what_can_not_be_updated_while_it_is_served_is_refused(tmp_path: Path, code: str, settings: Any, more: Any) -> None:
    class Plain:
        def engine(self, *args: Any) -> Any:
            raise AssertionError("it is not asked")

    inputs = {name: Artifact("model/text", tmp_path) for name in ("model", *more)}
    step = LocalStep.make(
        tmp_path, name="api", inputs=inputs, settings=ServeSettings(updatable=True, **settings), providers={"inference_backend": Plain()}
    )  # fmt: skip
    with pytest.raises(UserError, match=code):
        serve.run(step)


def test_a_long_path_for_temporary_files_is_no_place_for_a_socket(
    backend: FakeBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("deep" * 20)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with ControlChannel(backend, 2.0) as channel:
        assert channel.socket.is_socket()
        assert channel.socket.parent.stat().st_mode & 0o777 == 0o700
        assert not list(deep.iterdir())
    assert not channel.socket.parent.exists()
