"""What runs on a host: ``python on_host.py check|start|state|stop`` with an order as JSON on stdin, answered by one line of JSON.

Standard library only: it runs as a file, for every question. The processes of a step are children of none: they outlive the connection.
What is noted of them lies in the folder of the try (``process-0.json``, and ``rank-0.status`` at its end); which steps a host has is known
to the host alone, from a folder of the user's own.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ANSWER = "tunesmith: "  # what precedes the answer, among what a host greets with
TERM_TIMEOUT = 6.0  # seconds for an agent to end its worker before it is killed

# the shell hears a SIGTERM to the group too, and goes on to note how the agent ended
_RANK = 'trap : TERM; note=$1; shift; "$@"; echo $? >"$note.part"; mv "$note.part" "$note"'


def check(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """How many other steps the host has, or why it can't have this one."""
    done = subprocess.run([sys.executable, "-c", "import tunesmith_jobs.agent"], capture_output=True, text=True)
    if done.returncode:
        return {"fault": f"{sys.executable} can't start an agent: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}"}
    with _register() as register:
        return {"steps": len(_others(register, Path(order["directory"])))}


def start(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Start the ranks of the order, unless the host has as many steps as it may."""
    directory = Path(order["directory"])
    with _register() as register:
        if len(_others(register, directory)) >= order["steps_per_host"]:
            return {"full": True}
        noted = []
        for rank, command in order["ranks"].items():
            status = directory / f"rank-{rank}.status"
            status.unlink(missing_ok=True)
            with open(directory / f"rank-{rank}.out", "ab") as out:
                process = subprocess.Popen(
                    ["/bin/sh", "-c", _RANK, "sh", str(status), *command], cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                    start_new_session=True,
                )  # fmt: skip
            noted.append({"pid": process.pid, "since": _since(process.pid), "boot": _boot()})
            _write(directory / f"process-{rank}.json", noted[-1])
        _write(register / _name(directory), noted)
    return {"started": len(noted)}


def state(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of each rank of the order: null while it runs, or how it ended."""
    directory, told = Path(order["directory"]), {}
    for rank in order["ranks"]:
        note = _read(directory / f"process-{rank}.json")
        status = directory / f"rank-{rank}.status"
        alive = bool(note) and _lives(note)
        if note and not alive and not status.exists():
            rebooted = note["boot"] != _boot()
            told[rank] = "its host was started again" if rebooted else "it was killed"
        elif not note:
            told[rank] = "it was not started"
        else:
            told[rank] = None if alive else f"status {status.read_text().strip()}"
    return {"ranks": told}


def stop(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """End the ranks of the order, and wait until they have ended."""
    directory = Path(order["directory"])
    notes = [note for rank in order["ranks"] if (note := _read(directory / f"process-{rank}.json")) and _lives(note)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for note in notes:
            if _lives(note):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(note["pid"], number)
        until = time.monotonic() + TERM_TIMEOUT
        while any(map(_lives, notes)) and time.monotonic() < until:
            time.sleep(0.05)
    return {}


# --- processes -------------------------------------------------------------------------------------------------------------------


def _since(pid: int) -> str:
    """When it was started, in ticks since the host was; empty for one that has ended."""
    with contextlib.suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""


def _boot() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _lives(note: Mapping[str, Any]) -> bool:
    return note["boot"] == _boot() and note["since"] != "" and note["since"] == _since(note["pid"])


# --- which steps the host has ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _register() -> Iterator[Path]:
    """A folder with a file for each step, held against others."""
    folder = Path("/tmp") / f"tunesmith-ssh-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    with open(folder / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _others(register: Path, directory: Path) -> list[str]:
    """Steps that run here; what is left of others is swept."""
    found = []
    for file in register.glob("*.json"):
        if file.name == _name(directory):
            continue
        if any(map(_lives, _read(file) or ())):
            found.append(file.name)
        else:
            file.unlink()
    return found


def _name(directory: Path) -> str:
    return hashlib.sha256(str(directory).encode()).hexdigest()[:16] + ".json"


def _write(file: Path, data: Any) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(data))
    os.replace(part, file)


def _read(file: Path) -> Any:
    with contextlib.suppress(OSError, ValueError):
        return json.loads(file.read_text())
    return None


if __name__ == "__main__":
    print(ANSWER + json.dumps(globals()[sys.argv[1]](json.load(sys.stdin))), flush=True)
