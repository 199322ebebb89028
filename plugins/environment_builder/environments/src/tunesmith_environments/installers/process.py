"""Programs that work on an environment: heard line by line, stopped at once, and never left behind by a host that dies."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.contracts.kinds.environment_builder import Watch
from tunesmith_environments.installers import supervisor

TICK = 0.05  # seconds between two looks at whether to stop
BUSY = 4  # times a limit by the clock, on a machine that lets a program wait for a processor


class Ended(NamedTuple):
    """How a program ended. `text` is all that it printed, stdout and stderr as they came."""

    status: int
    text: str
    timed_out: bool = False


def run(
    command: Sequence[str | Path], watch: Watch, heard: Callable[[str], None] = lambda line: None, *,
    environ: Mapping[str, str], cwd: Path | None = None, timeout: float = 0.0,
) -> Ended:  # fmt: skip
    """Run a program to its end.

    Args:
        heard: called with every line that it prints.
        environ: all of its variables.
        timeout: seconds after which it is killed, those not counted for which a busy machine kept it from a processor, up to `BUSY` times
            as long by the clock; 0: none.

    Whatever `watch.check` or `heard` raises kills the program's whole process group and is passed on.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", supervisor.__file__, *map(str, command)], env=dict(environ), cwd=cwd, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        return _listen(process, watch, heard, timeout or float("inf"))
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def _listen(process: subprocess.Popen[bytes], watch: Watch, heard: Callable[[str], None], timeout: float) -> Ended:
    assert process.stdout is not None
    started = time.monotonic()
    fd = process.stdout.fileno()
    text, rest, open_ = [], b"", True
    while open_ or process.poll() is None:
        watch.check()
        gone = time.monotonic() - started
        if gone > timeout and gone - min(starved(process.pid), (BUSY - 1) * timeout) > timeout:
            return Ended(-signal.SIGKILL, "".join(text) + _decoded(rest), True)
        if not open_:  # it closed its stdout before its end
            time.sleep(TICK)
        elif select.select([fd], [], [], TICK)[0]:
            data = os.read(fd, 65536)
            open_ = bool(data)
            *lines, rest = (rest + data).replace(b"\r", b"\n").split(b"\n")
            for line in map(_decoded, lines):
                text.append(line + "\n")
                heard(line)
        elif process.poll() is not None:  # something that it left behind holds its stdout open
            break
    if rest:
        heard(_decoded(rest))
    return Ended(process.wait(), "".join(text) + _decoded(rest))


def starved(group: int) -> float:
    """Seconds for which the most hindered process of a group was ready to go on and had no processor; 0 where the system does not say."""
    longest = 0.0
    for path in Path("/proc").glob("[0-9]*/schedstat"):
        with contextlib.suppress(OSError, IndexError, ValueError):  # gone meanwhile, or not to be read
            if os.getpgid(int(path.parent.name)) == group:
                longest = max(longest, int(path.read_text().split()[1]) / 1e9)
    return longest


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace")
