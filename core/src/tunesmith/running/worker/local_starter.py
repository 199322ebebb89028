"""The kernel's executor: workers are processes of this machine."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess

from tunesmith.contracts.worker_process import MARK, STACKS, Activity, Launch
from tunesmith.isolation import orphans as remains
from tunesmith.running.worker.process_activity import session_activity

#: Set unless the host's environment or the launch says otherwise. Waiting threads that spin cost more than they win.
DEFAULTS = {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}


class LocalStarter:
    """Starts each worker in a session, and so a process group, of its own: a Ctrl-C in the terminal reaches the host alone."""

    def start(self, launch: Launch) -> LocalProcess:
        for file in (launch.stdout, launch.stderr):
            file.parent.mkdir(parents=True, exist_ok=True)
        # Appending, so that a file that was cut short (see running/logs.py) goes on at its new end.
        with open(launch.stdout, "ab") as stdout, open(launch.stderr, "ab") as stderr:
            inherited = {name: value for name, value in os.environ.items() if name not in launch.without}
            if inherited.get("PYTHONPATH"):  # its relative entries are the host's directory's
                inherited["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, inherited["PYTHONPATH"].split(os.pathsep)))
            mark = secrets.token_hex(8)
            process = subprocess.Popen(
                list(launch.command), env={**DEFAULTS, **inherited, **launch.environment, MARK: mark}, stdin=subprocess.DEVNULL,
                stdout=stdout, stderr=stderr, start_new_session=True, cwd=launch.directory,
            )  # fmt: skip
        return LocalProcess(process, mark)


class LocalProcess:
    """A worker on this machine, with whatever it started."""

    def __init__(self, process: subprocess.Popen[bytes], mark: str) -> None:
        self._process, self._mark = process, mark
        self.pid = process.pid

    def poll(self) -> int | None:
        return self._process.poll()

    def stop(self, term_timeout: float) -> None:
        if term_timeout > 0 and self._process.poll() is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(term_timeout)
        self._signal(signal.SIGKILL)
        self._process.wait()
        remains.end(self._mark)  # daemons, which have left the group

    def activity(self) -> Activity | None:
        try:
            return session_activity(self.pid)
        except (OSError, ValueError, IndexError):  # it has just ended, or this is no Linux
            return None

    def dump_stacks(self) -> None:
        if STACKS:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, STACKS)
                os.kill(self.pid, signal.SIGCONT)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in it
            os.killpg(self.pid, number)
