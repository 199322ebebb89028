"""Checks of executors: a process that is started as asked, is heard of, and is ended with all that it started."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.contracts import Launch
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, check

LIMIT = 60.0  # seconds for a process to do next to nothing, on a busy machine
BUSY = 0.3  # seconds that a process computes; a system counts them in hundredths
_SAY = "import os, sys; print(os.environ.get('SAID', '-'), os.environ.get('UNSAID', '-')); print('aside', file=sys.stderr)"

_TOLD = "import os; print(os.environ.get('SAID'), os.environ.get('UNSAID'), 'niceness', os.nice(0), 'in', os.getcwd())"


def _started(subject: Subject, code: str, **more: Any) -> tuple[Any, Path, Path]:
    folder = subject.folder("launch")
    out, err = folder / "logs" / "out", folder / "logs" / "err"
    launch = Launch((sys.executable, "-c", code), more.pop("environment", {}), out, err, **more)
    return subject.build().start(launch), out, err


def _ended(process: Any) -> int:
    until = time.monotonic() + LIMIT
    while (status := process.poll()) is None:
        if time.monotonic() > until:
            raise CheckFailed(f"a process that does next to nothing is not over after {LIMIT:.0f} s", fix="Let `poll` ask the process.")
        time.sleep(0.02)
    return int(status)


@action("executor")
def work(subject: Subject) -> None:
    """Start a process and wait for it."""
    _ended(_started(subject, "")[0])


@observer("executor")
def observe(subject: Subject) -> dict[str, Any]:
    """What a process says and how it ends."""
    process, out, err = _started(subject, _TOLD, environment={"SAID": "yes"})
    return {"status": _ended(process), "said": out.read_text(), "aside": err.read_text()}


@check("executor.starts-as-asked", kind="executor", title="variables, output and error output of a process are as the launch says")
def starts(subject: Subject) -> Iterator[CheckFailed]:
    os.environ["UNSAID"] = "the host's"
    process, out, err = _started(subject, _SAY, environment={"SAID": "yes"}, without=("UNSAID",))
    _ended(process)
    said = out.read_text().split() if out.exists() else []
    if said != ["yes", "-"]:
        yield CheckFailed(f"a variable to set and one to leave out arrive as {said}", fix="Add `environment`, take `without` away.")
    if not err.exists() or "aside" not in err.read_text():
        yield CheckFailed("what it writes to stderr is not in the launch's file", fix="Point the process's stderr at `launch.stderr`.")


@check("executor.tells-the-end", kind="executor", title="`poll` gives None, then the status, and the negative number of a signal")
def tells(subject: Subject) -> Iterator[CheckFailed]:
    status = _ended(_started(subject, "raise SystemExit(3)")[0])
    if status != 3:
        yield CheckFailed(f"a process that ends with status 3 is said to end with {status}", fix="Pass the status through.")
    status = _ended(_started(subject, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")[0])
    if status != -signal.SIGKILL:
        yield CheckFailed(
            f"a process that is killed is said to end with {status}, not {-signal.SIGKILL}", fix="Give a signal as a negative number."
        )


@check("executor.ends-all", kind="executor", title="`stop` ends a process that does not want to, and what it started")
def ends(subject: Subject) -> None:
    note = subject.folder("note") / "pids"
    code = (
        "import os, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        f"open({str(note)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}} '); time.sleep(600)"
    )
    process, *_ = _started(subject, code)
    until = time.monotonic() + LIMIT
    while not (note.exists() and note.read_text().endswith(" ")) and time.monotonic() < until:
        time.sleep(0.02)
    if process.poll() is not None:
        raise CheckFailed("a running process is said to have ended", fix="Return None from `poll` while it runs.")
    process.stop(0.2)
    time.sleep(0.1)
    left = [pid for pid in note.read_text().split() if _lives(int(pid))]
    for pid in left:
        os.kill(int(pid), signal.SIGKILL)
    if left:
        raise CheckFailed(f"after `stop` {len(left)} of its processes live on", fix="Start it in a group of its own, and end the group.")


@check("executor.tells-activity", kind="executor", title="`activity` grows with the processor time of a process, or is None")
def tells_activity(subject: Subject) -> None:
    code = f"import time\nwhile time.process_time() < {BUSY}: sum(range(10000))\nprint('done', flush=True)\ntime.sleep(600)"
    process, out, _ = _started(subject, code)
    first = process.activity()
    until = time.monotonic() + LIMIT
    while not (out.exists() and out.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    last = process.activity()
    process.stop(0.0)
    if first is not None and (last is None or last.cpu - first.cpu < BUSY / 2):
        raise CheckFailed(
            f"of {BUSY} s of processor time it tells {'nothing' if last is None else f'{last.cpu - first.cpu:.2f} s'}",
            fix="Add up what the process and all that it started have used, or return None: ranks that hang are then not noticed.",
        )


@check("executor.dumps-stacks", kind="executor", title="`dump_stacks` has a worker write its stacks, also one that is stopped")
def dumps_stacks(subject: Subject) -> None:
    code = (
        "import faulthandler, os, signal; from tunesmith.contracts.kinds.executor import STACKS;"
        "faulthandler.register(STACKS); print('ready', flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
    )
    process, out, err = _started(subject, code)
    until = time.monotonic() + LIMIT
    while not (out.exists() and out.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.2)
    process.dump_stacks()
    while "most recent call first" not in err.read_text() and time.monotonic() < until:
        time.sleep(0.02)
    process.stop(0.0)
    if "most recent call first" not in err.read_text():
        raise CheckFailed("a stopped worker wrote no stacks", fix="Send it the signal `STACKS`, then SIGCONT.")


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
