"""When the host is killed, its workers and everything that they started end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HOST = """
import sys
from pathlib import Path
from tiny_plans import Place, step
Place.at(Path(sys.argv[1])).run(step("a", sys.argv[2], fail=sys.argv[3]))
"""


def start(directory: Path, verb: str, sign: Path, how: str = "") -> subprocess.Popen[bytes]:
    """A host with one step under way that has left its sign."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    host = subprocess.Popen([sys.executable, "-c", HOST, str(directory), verb, f"{sign}{how}"], env=environment)
    until = time.monotonic() + 30
    while not (sign.exists() and sign.read_text()) and time.monotonic() < until:
        time.sleep(0.01)
    return host


def gone(pid: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_what_a_worker_started_does_not_outlive_a_killed_host(tmp_path: Path) -> None:
    sign = tmp_path / "child"
    host = start(tmp_path, "family", sign)
    child = int(sign.read_text())
    assert not gone_now(child)
    host.send_signal(signal.SIGKILL)
    host.wait()
    assert gone(child)


def test_a_busy_worker_does_not_outlive_a_killed_host(tmp_path: Path) -> None:
    sign = tmp_path / "worker"
    host = start(tmp_path, "busy", sign)
    worker = int(sign.read_text())
    host.send_signal(signal.SIGKILL)
    host.wait()
    assert gone(worker)


def test_a_daemon_of_a_step_does_not_outlive_a_killed_host(tmp_path: Path) -> None:
    sign = tmp_path / "daemon"
    host = start(tmp_path, "daemon", sign, ":deaf")
    daemon = int(sign.read_text())
    assert not gone_now(daemon)
    host.send_signal(signal.SIGKILL)
    host.wait()
    assert gone(daemon)


def gone_now(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()
