"""Engines and gateways as processes that are forked from one that has imported what they run, in place of a second of imports each.

That one is this module as a program. It reads requests from its standard input and answers each with a line of JSON: what is to be started
(``Wanted``) with the process's id, a question whether a process has ended (``{"pid": ...}``) with its status, null while it lives.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

HERE = Path(__file__).parent
IMPORTED = ("small_engine", "tunesmith_cli.main", "tunesmith_gateway.commands.gateway", "tunesmith_gateway.app", "tunesmith_gateway.server")
POLL = 0.01  # seconds between two looks whether a process has ended


@dataclass(frozen=True)
class Wanted:
    """``module.main(words)`` in a process of its own."""

    module: str
    words: Sequence[str]
    directory: str
    environment: dict[str, str]
    stdout: str
    stderr: str


class ForkServer:
    """The process that forks, from the tests' side."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = Lock()

    def ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


@cache
def fork_server() -> ForkServer:
    """One for all tests of this process; it ends with it."""
    return ForkServer()


class Forked:
    """A process, asked as `subprocess.Popen` is."""

    def __init__(self, wanted: Wanted) -> None:
        self.pid = int(fork_server().ask(**asdict(wanted)))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = fork_server().ask(pid=self.pid)
        return self.returncode

    def wait(self, timeout: float = 120.0) -> int:
        until = time.monotonic() + timeout
        while (status := self.poll()) is None:
            assert time.monotonic() < until, "it did not end in time"
            time.sleep(POLL)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def serve() -> dict[str, Any] | None:
    """Answer requests until there are no more; in a forked process, what it is to run."""
    ended: dict[int, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if pid := request.get("pid"):
            if pid not in ended and (found := os.waitpid(pid, os.WNOHANG))[0]:
                ended[pid] = os.waitstatus_to_exitcode(found[1])
            told = ended.get(pid)
        elif not (told := os.fork()):
            return request
        print(json.dumps(told), flush=True)
    return None


def run(wanted: Wanted) -> None:
    os.chdir(wanted.directory)
    os.environ.clear()
    os.environ.update(wanted.environment)
    for number, (path, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), *((path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for path in (wanted.stdout, wanted.stderr))]
    ):
        os.dup2(os.open(path, flags, 0o600), number)
    sys.exit(importlib.import_module(wanted.module).main(wanted.words))


if __name__ == "__main__":
    for name in IMPORTED:
        importlib.import_module(name)
    if (request := serve()) is not None:
        run(Wanted(**request))
