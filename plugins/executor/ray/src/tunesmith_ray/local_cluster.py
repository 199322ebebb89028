"""A Ray cluster of this machine for one step: kept up by a process of its own, so that the step's job outlives who started it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tunesmith.errors import TunesmithError

FILE = "ray-local.json"
START = 120.0  # seconds for Ray to start
LOOK = 1.0  # seconds between two looks at whether somebody still wants it
STOP = 10.0  # seconds for Ray to stop


class LocalCluster:
    """
    Args:
        directory: the job's, where the cluster is noted.
        patience: seconds for which it stays up without whoever started it.
    """

    def __init__(self, directory: Path, patience: float) -> None:
        self._directory, self._patience = directory, patience

    def address(self) -> str:
        """Of the one that is up, or of a new one.

        Raises:
            TunesmithError: TS-RUN-035, it does not start.
        """
        note = _read(self._directory)
        if note and _lives(note["pid"]):
            _note(self._directory, **{**note, "user": os.getpid()})
            os.environ.update(_guarded(note["token"]))
            return str(note["address"])
        token = secrets.token_hex(32)
        os.environ.update(_guarded(token))  # of this process, so also of Ray's here and of the driver
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log_file = self._directory / "ray-local.log"
        with open(log_file, "ab") as log:
            keeper = subprocess.Popen(
                [sys.executable, "-m", "tunesmith_ray.local_cluster", str(self._directory), str(port), str(self._patience)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        _note(self._directory, pid=keeper.pid, address=f"127.0.0.1:{port}", user=os.getpid(), token=token)
        until = time.monotonic() + START
        while time.monotonic() < until and keeper.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return f"127.0.0.1:{port}"
            time.sleep(0.2)
        raise TunesmithError(
            "TS-RUN-035", "Ray does not start on this machine", why=f"What Ray printed is in {log_file}.",
            fix="Try `ray start --head` by hand, in the environment of the executor `ray`.",
        )  # fmt: skip

    def close(self) -> None:
        """End it."""
        if (note := _read(self._directory)) and _lives(note["pid"]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(note["pid"], signal.SIGTERM)
            until = time.monotonic() + 2 * STOP
            while _lives(note["pid"]) and time.monotonic() < until:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(note["pid"], os.WNOHANG)
                time.sleep(0.1)


def _guarded(token: str) -> dict[str, str]:
    """Ray's variables by which a cluster listens to nobody else, for it listens on the network."""
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}


def _read(directory: Path) -> dict | None:
    with contextlib.suppress(OSError, ValueError):
        return json.loads((directory / FILE).read_text())
    return None


def _note(directory: Path, **data: object) -> None:
    part = directory / f"{FILE}.part"
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(data, file)
    os.replace(part, directory / FILE)


def _lives(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def keep(directory: Path, port: int, patience: float) -> int:
    """Be the cluster, until it is asked to end, or nobody has wanted it for so long."""
    ray = Path(sys.executable).with_name("ray")
    head = subprocess.Popen(
        [str(ray), "start", "--head", f"--port={port}", "--node-ip-address=127.0.0.1", "--include-dashboard=false", "--disable-usage-stats",
         "--block"], start_new_session=True,
    )  # fmt: skip
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    wanted = time.monotonic()
    while not asked and head.poll() is None and time.monotonic() - wanted <= patience:
        note = _read(directory)
        if note is None:  # the job's folder is gone: the step has ended
            break
        if _lives(note["user"]):
            wanted = time.monotonic()
        time.sleep(LOOK)
    head.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        head.wait(STOP)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(head.pid, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
