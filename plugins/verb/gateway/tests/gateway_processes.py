"""Engines and gateways as processes, that tests speak to over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from forked_processes import Forked, Wanted

from tunesmith.contracts.port_in_use import free_port

UP = 120.0  # seconds until a process answers


@dataclass
class Engine:
    """The small engine at work."""

    process: Forked
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def state(self) -> dict[str, Any]:
        return dict(httpx.get(f"http://127.0.0.1:{self.port}/state", timeout=30).json())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class Gateway:
    """`tunesmith gateway` at work."""

    process: Forked | subprocess.Popen[bytes]
    url: str  # ends in /v1
    home: Path
    log: Path  # of requests
    output: Path  # what it said on stdout
    errors: Path  # and on stderr

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def ask(self, content: str = "hello", model: str = "bot", key: str = "", client: Any = httpx, **more: Any) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": content}], "temperature": 0, **more}
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return client.post(f"{self.url}/chat/completions", json=body, headers=headers, timeout=60)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def metric(self, name: str, **labels: str) -> float:
        from prometheus_client.parser import text_string_to_metric_families

        for family in text_string_to_metric_families(httpx.get(f"{self.root}/metrics", timeout=30).text):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return 0.0

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def wait_for(done: Callable[[], Any], timeout: float = UP) -> Any:
    """What `done` gives once it is true; fails after `timeout` seconds."""
    until = time.monotonic() + timeout
    while True:
        with contextlib.suppress(httpx.HTTPError, OSError):
            if found := done():
                return found
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(0.02)


def start_engine(*words: str, port: int = 0) -> Engine:
    port = port or free_port("127.0.0.1", 0)
    engine = Engine(Forked(Wanted("small_engine", [str(port), *words], os.getcwd(), dict(os.environ), os.devnull, "/dev/stderr")), port)
    try:
        wait_for(lambda: engine.state)
    except BaseException:
        engine.kill()
        raise
    return engine


def start_gateway(directory: Path, settings: dict[str, Any], *words: str, environment: dict[str, str] | None = None) -> Gateway:
    directory.mkdir(parents=True, exist_ok=True)
    config, log, output, errors = (directory / name for name in ("gateway.yaml", "access.log", "stdout", "stderr"))
    config.write_text(yaml.safe_dump({"port": 0, "access_log": "access.log", "health_interval": 0.2, **settings}))
    home = directory / "home"
    words = ("gateway", "--config", str(config), "--json", *words)
    variables = {**os.environ, "TUNESMITH_HOME": str(home), **(environment or {})}
    process = _typed(words, directory, variables, output, errors) if "--serve" in words else Forked(
        Wanted("tunesmith_cli.main", words, str(directory), variables, str(output), str(errors))
    )  # fmt: skip
    wait_for(lambda: process.poll() is not None or (output.exists() and output.read_text().endswith("\n")))
    said = output.read_text()
    assert said, errors.read_text()
    first = json.loads(said.splitlines()[0])
    assert first.get("event") == "gateway_ready", first
    return Gateway(process, first["url"], home, log, output, errors)


def _typed(words: Sequence[str], directory: Path, variables: dict[str, str], output: Path, errors: Path) -> subprocess.Popen[bytes]:
    """As a user starts it: one that serves starts a run, which is to live as long as its own process."""
    command = [sys.executable, "-m", "tunesmith_cli", *words]
    with open(output, "wb") as out, open(errors, "wb") as err:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=directory, env=variables)
