"""One command serves; told to stop, it ends every stream so that its client knows, at the deadline that the step's setting says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest

from tunesmith_serve.orphan_reaper import below

pytestmark = pytest.mark.slow

PIPELINE = """
name: bot
model: file://model
steps:
  api: {serve: {transformers: {dtype: float32, max_model_len: 0}}, settings: {shutdown_grace: 0.5}}
"""
ENDLESS = {"model": "bot", "prompt": "x", "max_tokens": 90_000, "ignore_eos": True, "stream": True}


@pytest.fixture
def host(tmp_path: Path, tiny_model: Callable[..., Path]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """(The command that serves, the API's address)."""
    (tmp_path / "model").symlink_to(tiny_model(max_position_embeddings=100_000))
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE)
    own = {"TUNESMITH_CACHE": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "tunesmith_cli", "run"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | own, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said = ""
    while "http://127.0.0.1:" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    yield process, f"http://127.0.0.1:{said.partition('http://127.0.0.1:')[2].partition('/')[0]}/v1"
    process.kill()
    process.communicate()


def stream(url: str, begun: Event) -> list[str]:
    """The last two lines of an answer that would take minutes."""
    last = ["", ""]
    with httpx.stream("POST", f"{url}/completions", json=ENDLESS, timeout=60) as answer:
        for line in answer.iter_lines():
            last = [*last, line][-2:] if line else last
            begun.set()
    return last


@pytest.mark.parametrize("told", ["the command", "all processes"])
def test_every_stream_ends_with_an_error_event_and_done(host: tuple[subprocess.Popen[str], str], told: str) -> None:
    process, url = host
    assert httpx.get(f"{url}/models").json()["data"][0]["id"] == "bot"  # the pipeline's name
    with ThreadPoolExecutor() as pool:
        begun = [Event() for _ in range(3)]
        endings = [pool.submit(stream, url, event) for event in begun]
        assert all(event.wait(60) for event in begun)
        worker, *others = sorted(below(process.pid))
        for pid in [process.pid, *([worker, *others] if told == "all processes" else ())]:
            os.kill(pid, signal.SIGTERM)
        for ending in endings:
            error, done = ending.result()
            assert json.loads(error.removeprefix("data: "))["error"]["code"] == "draining"
            assert done == "data: [DONE]"
    process.communicate(timeout=60)
    until = time.monotonic() + 10
    while (left := [pid for pid in (worker, *others) if Path(f"/proc/{pid}").exists()]) and time.monotonic() < until:
        time.sleep(0.1)  # until init has taken those whose parent is gone
    assert not left
