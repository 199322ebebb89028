"""Runs a Python program where it can do no harm: within a time, memory and a directory of its own, without a network."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tunesmith.errors import UserError

_LAUNCHER = Path(__file__).with_name("launcher.py")
_REFUSED = 125
_OUTPUT = 1 << 20  # bytes of each file that it writes, its output among them
_FILES = 32


class Outcome(NamedTuple):
    """status: 0 where all went well; None where it took too long. output: what it printed."""

    status: int | None
    output: str


class Sandbox:
    """
    Args:
        seconds: that a program may take, by the clock.
        megabytes: of memory that it may ask for.

    Raises:
        UserError: TS-REWARD-005 where this machine can't shut a program in. Nothing is run then.
    """

    def __init__(self, seconds: float, megabytes: int) -> None:
        self._seconds, self._megabytes = seconds, megabytes
        python = os.path.realpath(sys.executable)
        self._python = [python, "-I", "-S", "-B"]
        self._readable = [python, sys.base_prefix, "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache"]
        if (tried := self.run("print(6 * 7)")) != Outcome(0, "42\n"):
            raise UserError(
                "TS-REWARD-005", "this machine can't shut a program in, so the reward `code` runs none",
                why=tried.output.strip() or f"A trial ended with status {tried.status}.", fix="See docs/errors/TS-REWARD-005.",
            )  # fmt: skip

    def run(self, program: str, stdin: str = "") -> Outcome:
        """Runs a program in a new empty directory."""
        if not sys.platform.startswith("linux"):
            return Outcome(_REFUSED, f"no sandbox on {sys.platform}")
        directory = tempfile.mkdtemp(prefix="tunesmith-code-")
        try:
            with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
                given.write(stdin.encode(errors="replace"))
                given.seek(0)
                Path(directory, "program.py").write_bytes(program.encode(errors="replace"))
                status = self._run(directory, given, printed)
                printed.seek(0)
                return Outcome(status, printed.read(_OUTPUT).decode(errors="replace"))
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _run(self, directory: str, given: object, printed: object) -> int | None:
        told = {
            "directory": directory,
            "readable": self._readable,
            "limits": {
                "RLIMIT_AS": self._megabytes << 20, "RLIMIT_CPU": int(self._seconds) + 1, "RLIMIT_FSIZE": _OUTPUT, "RLIMIT_NOFILE": _FILES,
                "RLIMIT_CORE": 0,
            },
        }  # fmt: skip
        process = subprocess.Popen(
            [*self._python, str(_LAUNCHER), json.dumps(told), *self._python, os.path.join(directory, "program.py")],
            stdin=given, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True, cwd=directory,
            env={"HOME": directory, "TMPDIR": directory, "LANG": "C.UTF-8", "PATH": ""},
        )  # type: ignore[call-overload]  # fmt: skip
        try:
            status: int = process.wait(self._seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return status
