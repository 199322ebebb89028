"""The worker of a reward or an environment as the training sees it: started, asked with a time limit, ended with all it has started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith_rewards.api.specification import RewardSpec
from tunesmith_rewards.runner.worker import not_made

# sys.path is set before anything is imported, so that a file of the current directory can't stand for a module
_CODE = "import sys; sys.path[:] = sys.argv.pop().split('\\n'); from tunesmith_rewards.runner.worker import main; main()"
# in another Python, which has its own packages, and ours behind them
_CODE_THERE = "import sys; sys.path[:1] = []; sys.path.append(sys.argv.pop()); from tunesmith_rewards.runner.worker import main; main()"
_START_TIMEOUT = 600.0  # seconds to import a reward's library and load its model
_STOP_TIMEOUT = 2.0


class WorkerDied(Exception):
    """The worker is gone, without an answer."""


class WorkerHangs(Exception):
    """The worker has not answered in time."""


class WorkerProcess:
    """
    Args:
        spec: what it makes.
        kind: of the provider.
        python: the interpreter, where it is another than this one; it has what the provider runs on. The provider's package and ours are
            those of this one.

    Raises:
        TunesmithError: TS-REWARD-003, or TS-REWARD-013 of an environment, and others, where it can't be made there.
    """

    def __init__(self, spec: RewardSpec, kind: str = "reward", python: str = "") -> None:
        ours, theirs = socket.socketpair()
        made = {
            "kind": kind, "name": spec.name, "target": spec.target, "settings_class": spec.settings_class, "settings": dict(spec.settings),
            "distribution": spec.distribution,
        }  # fmt: skip
        self._code = tempfile.TemporaryDirectory(prefix="tunesmith-code-") if python else None
        paths = _linked(Path(self._code.name), spec) if self._code else "\n".join(path or os.getcwd() for path in sys.path)
        kept = {name: value for name, value in os.environ.items() if not python or name not in ("PYTHONPATH", "PYTHONHOME")}

        with theirs:
            self._process = subprocess.Popen(  # its own session: what it has started is ended with it
                [python or sys.executable, "-c", _CODE_THERE if python else _CODE, str(theirs.fileno()), json.dumps(made), paths],
                pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True, env=kept,
            )  # fmt: skip
        self._socket = ours
        self._rest = b""
        try:
            first = self._read(time.monotonic() + _START_TIMEOUT)
        except (WorkerDied, WorkerHangs) as error:
            self.kill()
            raise not_made(kind, spec.name, f"Its process {error}; what it wrote stands in the log.") from error
        if "error" in first:
            self.kill()
            raise TunesmithError.from_json(first["error"])
        self.batches = bool(first["batches"])

    def ask(self, message: Mapping[str, Any], timeout: float) -> Iterator[Mapping[str, Any]]:
        """What it answers to a message (see `runner.worker`), one after the other, without what ends them.

        Args:
            timeout: seconds that may pass without one.

        Raises:
            WorkerDied, WorkerHangs: and it has to be killed.
        """
        self._socket.settimeout(timeout)
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except TimeoutError as error:
            raise WorkerHangs(f"gave no answer within {timeout:g} s") from error
        except OSError as error:
            raise WorkerDied(self._end()) from error
        while True:
            answer = self._read(time.monotonic() + timeout, timeout)
            if answer.get("over"):
                return
            yield answer

    def kill(self) -> None:
        self._socket.close()  # which it takes for a farewell
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._code is not None:
            self._code.cleanup()

    def close(self) -> None:
        """Ends it; in good order, where it answers."""
        self._socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_TIMEOUT)
        self.kill()

    def _read(self, until: float, timeout: float = _START_TIMEOUT) -> dict[str, Any]:
        while b"\n" not in self._rest:
            self._socket.settimeout(max(until - time.monotonic(), 1e-3))
            try:
                more = self._socket.recv(1 << 16)
            except TimeoutError as error:
                raise WorkerHangs(f"gave no answer within {timeout:g} s") from error
            except OSError:
                more = b""
            if not more:
                raise WorkerDied(self._end())
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> str:
        try:
            status = self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"


def _linked(folder: Path, spec: RewardSpec) -> str:
    """The folder, with links to the packages that another Python takes from this one: the provider's, the kernel's and this."""
    for name in {"tunesmith", __name__.partition(".")[0], spec.target.partition(".")[0]}:
        found = find_spec(name)
        if found is not None and found.submodule_search_locations:
            (folder / name).symlink_to(next(iter(found.submodule_search_locations)))
    return str(folder)
