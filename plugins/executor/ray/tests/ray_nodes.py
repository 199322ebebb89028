"""A Ray cluster of several nodes on this machine, each a set of Ray's own processes of which all may be killed at once."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARK = "TUNESMITH_TEST_NODE"
#: without what a test does not need: a dashboard, usage statistics, an end of processes for want of memory
QUIET = {"RAY_memory_monitor_refresh_ms": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}


class RayNodes:
    """
    Args:
        python: interpreter of an environment with Ray.
        variables: that it wants.
        folder: distinguishes this cluster's processes from others.
        workers: nodes beside the head, which has no CPU to give away; each has one.
    """

    name = "ray"

    def __init__(self, python: str, variables: Mapping[str, str], folder: Path, workers: int = 3) -> None:
        self._ray, self._variables, self._folder = str(Path(python).with_name("ray")), variables, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.settings: Mapping[str, Any] = {"address": self.address, "host": "127.0.0.1"}
        self._start("head", "--head", f"--port={self.address.partition(':')[2]}", "--num-cpus=0", "--include-dashboard=false")
        self._names = [f"node-{number}" for number in range(workers)]
        for name in self._names:
            self._start(name, f"--address={self.address}", "--num-cpus=1")

    def _start(self, name: str, *options: str) -> None:
        mark = {MARK: f"{self._folder}:{name}"}
        path = {"PYTHONPATH": os.pathsep.join([self._variables["PYTHONPATH"], os.environ["PYTHONPATH"]])}
        subprocess.run(
            [self._ray, "start", *options, "--node-ip-address=127.0.0.1", "--disable-usage-stats"],
            env={**os.environ, **self._variables, **path, **QUIET, **mark}, check=True, capture_output=True, timeout=180,
        )  # fmt: skip

    def agents(self, *names: str) -> list[int]:
        """Agents that live, on these nodes or on all."""
        return [pid for pid in self._processes(*names) if b"tunesmith_jobs.agent" in _command(pid)]

    def node_dies(self) -> str:
        """The one with an agent: no process of it gets a last word."""
        (name,) = [name for name in self._names if self.agents(name)]
        for _ in range(2):
            for pid in self._processes(name):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._names.remove(name)
        return name

    def close(self) -> None:
        for _ in range(3):
            for pid in self._processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _processes(self, *names: str) -> list[int]:
        marks = {f"{MARK}={self._folder}:{name}".encode() for name in names or ("head", *self._names)}
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if marks & set((process / "environ").read_bytes().split(b"\0")):
                    found.append(int(process.name))
        return found


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
