"""How a worker's process ended, as an error that a person can use: a crash of a step is never a crash of the host."""

from __future__ import annotations

import signal
from pathlib import Path

from tunesmith.errors import TunesmithError
from tunesmith.running.worker.logs import tail

_MEANING = {
    signal.SIGSEGV: "it reached for memory that is not its own (a fault in native code)",
    signal.SIGBUS: "it reached for memory that is not there (often a file on a full disk)",
    signal.SIGABRT: "native code gave up",
    signal.SIGFPE: "native code divided by zero",
    signal.SIGILL: "its code has an instruction that this processor does not know",
    signal.SIGXFSZ: "it wrote a file larger than it may",
    signal.SIGXCPU: "it used more processor time than it may",
}


def oom_kills() -> int:
    """How many processes the kernel has ended for want of memory since boot; 0 where it does not say."""
    try:
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def ended(who: str, status: int, stderr: Path, oom_before: int) -> TunesmithError:
    """The error for a process that ended with `status` (negative: a signal) before its work was done.

    Args:
        who: the worker, as the message names it.
        stderr: its log, whose last lines are shown.
        oom_before: what `oom_kills` said when it started.
    """
    last = " | ".join(tail(stderr, 3))
    said = f" It last said: {last}" if last else ""
    fix = f"`tunesmith resume` goes on from its last checkpoint, where it has made one. Its output is in {stderr}."
    if status >= 0:
        return TunesmithError("TS-RUN-013", f"{who} ended with status {status} in the middle of its work", why=said.strip(), fix=fix)
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    if -status == signal.SIGKILL and oom_kills() > oom_before:
        return TunesmithError(
            "TS-RUN-012", f"{who} was ended by the system ({name}), for the machine ran out of memory",
            fix="Make it smaller (batch size, length, precision), or end other programs. `tunesmith plan` shows the estimate.",
            facts={"signal": name},
        )  # fmt: skip
    why = _MEANING.get(signal.Signals(-status), "") if name.startswith("SIG") else ""
    if -status == signal.SIGKILL:
        why = "someone killed it, or the system did for want of memory (`dmesg` says so then)"
    return TunesmithError("TS-RUN-013", f"{who} was ended by {name}", why=(why + "." + said).lstrip("."), fix=fix)
