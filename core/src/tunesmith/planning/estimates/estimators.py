"""What the planner asks plugins: their estimators and device probes, in a helper process, so that one that hangs or ends its process ends
no plan.

The helper is forked where that is safe (Linux, no threads), which costs some milliseconds, and started anew elsewhere. One serves for all
questions; after one that it did not survive, the next question has another.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from tunesmith.contracts.environment_variables import WITHHELD
from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.errors import TunesmithError
from tunesmith.isolation.secret_variables import withheld
from tunesmith.planning.dataclass_json import build, plain
from tunesmith.planning.estimates import estimator_process
from tunesmith.planning.plan import Choice
from tunesmith.plugins.records import ProviderRecord

LIMIT = 30.0  # seconds for one answer
_GOING = 1.0  # seconds for a process that has closed its connection to be gone


class NoEstimate(Exception):
    """There is no answer; the message says why, as a clause."""


class Estimators:
    """Asks plugins' estimators, and device backends for devices, each question once.

    A plugin's code that took more than its time once is not asked again.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._helper: _Helper | None = None
        self._given_up: dict[str, str] = {}
        self._told: dict[str, Any] = {}

    def devices(self, record: ProviderRecord) -> Sequence[Device]:
        """The devices that a device backend finds.

        Raises:
            NoEstimate: it failed.
        """
        found = self._ask(estimator_process.DEVICES, record.target, record.distribution, None)
        return tuple(build(Device, device) for device in found)

    def estimate(
        self, record: ProviderRecord, request: EstimateRequest, choices: Mapping[str, Choice] = MappingProxyType({})
    ) -> Estimate | Mapping[str, float] | None:
        """What a provider's estimator says.

        Args:
            choices: the step's providers by slot, for `EstimateRequest.provider`.

        Raises:
            UserError: it refuses.
            NoEstimate: it failed.
        """
        asked = plain(replace(request, provider=None))
        asked["choices"] = {s: [c.record.target, c.record.settings, plain(c.settings), c.record.distribution] for s, c in choices.items()}
        found = self._ask(estimator_process.ESTIMATE, record.estimator, record.distribution, asked)
        if "parts" in found:
            return {str(name): float(value) for name, value in found["parts"].items()}
        return build(Estimate | None, found["estimate"])

    def variants(self, record: ProviderRecord, request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
        """The settings that a provider offers for a machine.

        Raises:
            UserError: it refuses.
            NoEstimate: it failed.
        """
        return tuple(self._ask(estimator_process.VARIANTS, record.variants, record.distribution, plain(replace(request, provider=None))))

    def _ask(self, kind: str, target: str, distribution: str, request: Any) -> Any:
        if target in self._given_up:
            raise NoEstimate(self._given_up[target])
        self._helper = self._helper or _Helper()
        question = json.dumps([kind, target, distribution, request])
        if question in self._told:
            return self._told[question]
        try:
            said = json.loads(self._helper.ask(question, self._limit))
        except (OSError, EOFError, ValueError) as error:
            if isinstance(error, ValueError):
                why = "it wrote something else where its answer goes"
            else:
                why = str(error) if isinstance(error, TimeoutError) else self._helper.end()
            self._given_up[target] = why
            self._helper.close()
            self._helper = None
            raise NoEstimate(why) from None
        if "refused" in said:
            raise TunesmithError.from_json(said["refused"])
        if "failed" in said:
            raise NoEstimate(said["failed"])
        self._told[question] = said["answer"]
        return said["answer"]


class _Helper:
    """One helper process. It ends when this object does."""

    def __init__(self) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        self._answers, self._rest = ours_in, b""
        self._questions = ours_out
        try:
            start = _fork if sys.platform == "linux" and threading.active_count() == 1 else _spawn
            self.pid = start(theirs_in, theirs_out)
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self._status: list[int] = []
        self.close: Callable[[], Any] = weakref.finalize(self, _close, self.pid, self._questions, self._answers, self._status)

    def ask(self, line: str, limit: float) -> bytes:
        """The answer to a line.

        Raises:
            TimeoutError: there was none in `limit` seconds.
            EOFError, OSError: the process has ended.
        """
        deadline = time.monotonic() + limit
        waiting = memoryview(f"{line}\n".encode())
        while waiting or b"\n" not in self._rest:
            left = deadline - time.monotonic()
            readable, writable, _ = select.select([self._answers], [self._questions] if waiting else [], [], max(0.0, left))
            if not readable and not writable:
                raise TimeoutError(f"it gave no answer within {limit:g} seconds")
            if readable:
                if not (data := os.read(self._answers, 2**16)):
                    raise EOFError
                self._rest += data
            elif writable:
                waiting = waiting[os.write(self._questions, waiting[: select.PIPE_BUF]) :]
        answer, _, self._rest = self._rest.partition(b"\n")
        return answer

    def end(self) -> str:
        """How the process ended, as a clause."""
        pid = status = 0
        until = time.monotonic() + _GOING
        while not pid and time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            time.sleep(0.0 if pid else 0.01)
        if not pid:
            return "it closed the connection"
        self._status.append(status)
        if os.WIFSIGNALED(status):
            return f"it ended its process by {signal.Signals(os.WTERMSIG(status)).name}"
        return f"it ended its process with status {os.WEXITSTATUS(status)}"


def _environment() -> dict[str, str]:
    """The helper's variables: this process's without secrets, of which it is told the names (see `is_set`)."""
    secrets = withheld(os.environ, ())
    told = {WITHHELD: " ".join(name for name in secrets if os.environ[name])}
    return {name: value for name, value in os.environ.items() if name not in secrets} | told


def _fork(questions: int, answers: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        environment = _environment()
        os.environ.clear()
        os.environ.update(environment)
        for number in {int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2, questions, answers}:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(number)
        signal.set_wakeup_fd(-1)
        estimator_process.serve(questions, answers)
        status = 0
    finally:
        os._exit(status)


def _spawn(questions: int, answers: int) -> int:
    import subprocess

    command = [sys.executable, "-m", estimator_process.__name__]
    process = subprocess.Popen(
        command, stdin=questions, stdout=answers, stderr=subprocess.DEVNULL, env=_environment(), start_new_session=True
    )  # fmt: skip
    process.returncode = 0  # it is waited for by its number
    return process.pid


def _close(pid: int, questions: int, answers: int, status: list[int]) -> None:
    for number in (questions, answers):
        with contextlib.suppress(OSError):
            os.close(number)
    if not status:
        for end in (os.killpg, os.kill):  # it may not lead its group yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
