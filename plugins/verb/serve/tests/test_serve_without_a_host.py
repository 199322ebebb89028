"""`tunesmith run` serves with an engine that is a program of its own; whatever is killed, nothing of it stays. The engine is a fake."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import fake_engine
import pytest

from tunesmith_sdk.distributions.written_plugins import write_plugin

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")]

PROVIDER = """
import sys
from tunesmith.contracts import Engine

class Provider:
    def engine(self, model, name, address, step):
        return Engine((sys.executable, {engine!r}, str(address.port), "--deaf", "--say", "a word for the log", "--child", {pids!r}))
"""
PIPELINE = "name: bot\nmodel: file://model\nsteps:\n  api: {serve: puppet, settings: {restarts: 0}}\n"


@dataclass
class Running:
    """The processes of a run that serves: command, worker, reaper, engine, and the deaf child that left the engine's session."""

    host: subprocess.Popen[str]
    worker: int
    reaper: int
    engine: int
    child: int
    port: int
    logs: Path

    @property
    def below(self) -> tuple[int, ...]:
        return self.worker, self.reaper, self.engine, self.child


@pytest.fixture
def running(tmp_path: Path, tiny_model: Callable[..., Path]) -> Iterator[Running]:
    site, pids, project = tmp_path / "site", tmp_path / "pids", tmp_path / "project"
    puppet = {"kind": "inference_backend", "name": "puppet", "accepts": ["model/hf"], "produces": ["endpoint/openai"]}
    write_plugin(site, "acme-puppet", providers=[puppet])
    (site / "acme_puppet" / "provider.py").write_text(PROVIDER.format(engine=fake_engine.__file__, pids=str(pids)))
    project.mkdir()
    (project / "model").symlink_to(tiny_model())
    (project / "tunesmith.yaml").write_text(PIPELINE)
    own = {"PYTHONPATH": os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")])), "TUNESMITH_CACHE": str(tmp_path / "c")}
    command = [sys.executable, "-m", "tunesmith_cli", "run"]
    host = subprocess.Popen(
        command, cwd=project, env=os.environ | own, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert host.stdout is not None
    said = ""
    while "http://" not in said:
        line = host.stdout.readline()
        assert line, said
        said += line
    port = int(said.partition("http://127.0.0.1:")[2].partition("/")[0])
    engine, child = map(int, pids.read_text().split())
    reaper = parent(engine)
    yield Running(host, parent(reaper), reaper, engine, child, port, project / ".tunesmith" / "runs")
    host.kill()
    host.communicate()
    for pid in (engine, child):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: tuple[int, ...]) -> bool:
    until = time.monotonic() + 20
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(alive, pids))


def test_killing_the_host_leaves_no_process(running: Running) -> None:
    assert all(map(alive, running.below))
    running.host.kill()
    running.host.wait()
    assert gone(running.below)
    with socket.create_server(("127.0.0.1", running.port)):
        pass


@pytest.mark.parametrize("victim", ["worker", "reaper", "engine"])
def test_killing_what_the_host_started_fails_the_run_and_leaves_no_process(running: Running, victim: str) -> None:
    os.kill(getattr(running, victim), signal.SIGKILL)
    out, _ = running.host.communicate(timeout=60)
    assert running.host.returncode == 1
    assert {"worker": "TS-RUN-013", "reaper": "TS-SERVE-008", "engine": "TS-SERVE-008"}[victim] in out
    # what left the engine's session is found by the reaper alone
    assert gone(running.below if victim != "reaper" else running.below[:-1])


def test_killing_host_and_worker_at_once_leaves_no_process(running: Running) -> None:
    os.kill(running.worker, signal.SIGSTOP)  # it must not do the reaper's work
    running.host.kill()
    os.kill(running.worker, signal.SIGKILL)
    assert gone(running.below)


def test_an_interrupt_ends_a_deaf_engine_too(running: Running) -> None:
    running.host.send_signal(signal.SIGINT)
    running.host.communicate(timeout=60)
    assert gone(running.below)


def test_what_the_engine_says_is_in_the_steps_log(running: Running) -> None:
    assert any("a word for the log" in log.read_text() for log in running.logs.rglob("*.log"))
