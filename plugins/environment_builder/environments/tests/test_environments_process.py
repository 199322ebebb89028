"""Programs that work on an environment end when they are told to, and when the host does, with all that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from told import Told

from tunesmith.errors import Cancelled
from tunesmith_environments.installers import process

SPAWN = "import subprocess, sys, time; child = subprocess.Popen(['sleep', '600']); print(child.pid, flush=True); time.sleep(600)"
HOST = f"""
import os, sys
from tunesmith.contracts.kinds.environment_builder import Silent
from tunesmith_environments.installers import process
def heard(line):
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(line)
    os.rename(sys.argv[1] + ".new", sys.argv[1])
process.run([sys.executable, "-c", {SPAWN!r}], Silent(), heard, environ=os.environ)
"""


def gone(pid: int, seconds: float = 20.0) -> bool:
    """Whether a process ends within so long; one that has ended and is not waited for yet counts."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_host_that_is_killed_takes_them_along(number: signal.Signals, tmp_path: Path):
    told = tmp_path / "told"
    host = subprocess.Popen([sys.executable, "-c", HOST, str(told)])
    while not told.exists():
        assert host.poll() is None
        time.sleep(0.02)
    grandchild = int(told.read_text())
    assert Path(f"/proc/{grandchild}").exists()
    host.send_signal(number)
    host.wait()
    assert gone(grandchild)


def test_a_cancel_takes_them_along():
    started: list[int] = []

    def cancel() -> None:
        if started:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        process.run([sys.executable, "-c", SPAWN], Told(cancel), lambda line: started.append(int(line)), environ=os.environ)
    assert gone(started[0])


def test_one_that_takes_too_long_is_ended_and_what_it_said_is_kept():
    code = "import time; print('thinking', flush=True); time.sleep(600)"
    ended = process.run([sys.executable, "-c", code], Told(), environ=os.environ, timeout=2.0)
    assert ended.timed_out
    assert ended.text.startswith("thinking")


@pytest.mark.parametrize(("seconds", "late"), [(0.6, False), (600, True)])
def test_what_a_busy_machine_keeps_from_a_processor_has_longer_but_not_for_ever(monkeypatch, seconds, late):
    monkeypatch.setattr(process, "starved", lambda group: 3600.0)
    command = [sys.executable, "-S", "-c", f"import time; time.sleep({seconds})"]
    assert process.run(command, Told(), environ=os.environ, timeout=0.5).timed_out is late


def test_a_program_that_nothing_hinders_is_not_taken_for_a_hindered_one():
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        assert process.starved(child.pid) < 60
    finally:
        child.kill()
        child.wait()


def test_lines_come_whole_however_they_are_written():
    parts = (b"o", b"ne\ntw", b"o\rthree\xff", b"\nfour")
    code = f"import sys; w = sys.stdout.buffer; [(w.write(part), w.flush()) for part in {parts!r}]; sys.exit(3)"
    lines: list[str] = []
    ended = process.run([sys.executable, "-c", code], Told(), lines.append, environ=os.environ)
    assert lines == ["one", "two", "three\ufffd", "four"]
    assert ended.status == 3


def test_one_that_closes_its_stdout_is_waited_for():
    code = "import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(7)"
    assert process.run([sys.executable, "-c", code], Told(), environ=os.environ).status == 7


def test_what_it_leaves_behind_does_not_keep_the_host_waiting():
    code = "import subprocess; subprocess.Popen(['sleep', '600']); print('done')"
    ended = process.run([sys.executable, "-c", code], Told(), environ=os.environ)
    assert (ended.status, ended.text) == (0, "done\n")


def test_a_flood_is_heard_to_its_end():
    ended = process.run([sys.executable, "-c", "print('x' * 100 + '\\n', end='') or [print('y' * 1000) for _ in range(5000)]"], Told(),
                         environ=os.environ)  # fmt: skip
    assert len(ended.text) == 101 + 5000 * 1001
