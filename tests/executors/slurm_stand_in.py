"""A stand-in for Slurm's daemons and commands, for tests where Slurm is not installed: one node, jobs as processes of this machine.

``python slurm_stand_in.py COMMAND ARGUMENTS``, with the cluster's folder in SLURM_STAND_IN. It understands what a batch script and the
executor need: #SBATCH lines (as sbatch splits them), sbatch, squeue, scancel, srun. `Slurm` is how a test handles it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

FOLDER = "SLURM_STAND_IN"
MARK = "SLURM_STAND_IN_JOB"
COMMANDS = ("sbatch", "squeue", "scancel", "srun")


class Slurm:
    """The cluster in a folder: its daemon, and what a test does to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.commands = folder, folder / "bin"
        self.commands.mkdir(parents=True)
        for name in COMMANDS:
            script = self.commands / name
            script.write_text(f'#!/bin/sh\n{FOLDER}="{folder}" exec "{sys.executable}" "{__file__}" {name} "$@"\n')
            script.chmod(0o755)
        self._daemon = subprocess.Popen(
            [sys.executable, __file__, "slurmctld"], env=os.environ | {FOLDER: str(folder)}, start_new_session=True
        )

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.commands}{os.pathsep}{os.environ['PATH']}"}

    def hold(self) -> None:
        """No job starts until `release`."""
        (self.folder / "hold").touch()

    def release(self) -> None:
        (self.folder / "hold").unlink()

    def jobs(self) -> dict[int, str]:
        """State of every job that was submitted."""
        return {int(file.stem): _read(file)["state"] for file in sorted(self.folder.glob("*.json"))}

    def processes(self) -> list[int]:
        """Those that live, of all its jobs."""
        return [pid for job in self.jobs() for pid in processes_of(self.folder, job)]

    def node_dies(self, job: int) -> None:
        """The node of a job: no process gets a last word."""
        _order(self.folder, job, "NODE_FAIL")
        for pid in processes_of(self.folder, job):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def preempt(self, job: int) -> None:
        """As Slurm does: SIGTERM, SIGKILL a moment later, and back into the queue if the job wants that."""
        _order(self.folder, job, "PREEMPTED")

    def close(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._daemon.kill()
        self._daemon.wait()


def processes_of(folder: Path, job: int) -> list[int]:
    """Those that live, of all that a job of the cluster in this folder has started."""
    mark, found = f"{MARK}={folder}:{job}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def _read(file: Path) -> dict:
    return json.loads(file.read_text())


def _write(file: Path, data: dict) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(data))
    os.replace(part, file)


def _order(folder: Path, job: int, word: str) -> None:
    _write(folder / f"{job}.order", {"word": word})


# --- commands --------------------------------------------------------------------------------------------------------------------


def options_of(script: str) -> argparse.Namespace:
    """What stands in its #SBATCH lines; an unknown option is refused, as sbatch does."""
    parser = argparse.ArgumentParser(prog="sbatch", allow_abbrev=False, exit_on_error=True)
    for name in (
        "job-name", "output", "open-mode", "cpus-per-task", "nodes", "partition", "account", "qos", "time", "constraint", "gres", "mem",
        "gpus-per-task", "mem-per-cpu", "comment",
    ):  # fmt: skip
        parser.add_argument(f"--{name}")
    parser.add_argument("--ntasks", type=int, default=1)
    parser.add_argument("--requeue", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--exclusive", action="store_true")
    words = [word for line in script.splitlines() if line.startswith("#SBATCH ") for word in shlex.split(line[len("#SBATCH ") :])]
    return parser.parse_args(words)


def sbatch(folder: Path, arguments: list[str]) -> int:
    script = Path(arguments[-1]).read_text()
    options = options_of(script)
    if options.partition == "nowhere":
        print("sbatch: error: Batch job submission failed: Invalid partition name specified", file=sys.stderr)
        return 1
    number = len(list(folder.glob("*.json"))) + 1
    data = {"state": "PENDING", "reason": "Priority", "script": script, "cwd": os.getcwd(), "ntasks": options.ntasks}
    data |= {"requeue": options.requeue, "output": (options.output or "slurm-%j.out").replace("%j", str(number))}
    data["environment"] = dict(os.environ)
    _write(folder / f"{number}.json", data)
    print(number)
    return 0


def squeue(folder: Path, arguments: list[str]) -> int:
    (job,) = (word.partition("=")[2] for word in arguments if word.startswith("--jobs="))
    (form,) = (word.partition("=")[2] for word in arguments if word.startswith("--format="))
    if not (folder / f"{job}.json").exists():
        print("slurm_load_jobs error: Invalid job id specified", file=sys.stderr)
        return 1
    data = _read(folder / f"{job}.json")
    print({"%T": data["state"], "%r": data["reason"]}[form])
    return 0


def scancel(folder: Path, arguments: list[str]) -> int:
    mine = [file.stem for file in folder.glob("*.json")] if arguments == ["--me"] else arguments
    for job in mine:
        _order(folder, int(job), "CANCELLED")
    return 0


def srun(folder: Path, arguments: list[str]) -> int:
    """A process for each task; the first that ends badly ends the others."""
    command = [word for word in arguments if not word.startswith("--")]
    count = int(os.environ["SLURM_NTASKS"])
    tasks = [subprocess.Popen(command, env=os.environ | {"SLURM_PROCID": str(rank)}) for rank in range(count)]
    signal.signal(signal.SIGTERM, lambda *_: [task.terminate() for task in tasks])
    while any(task.poll() is None for task in tasks):
        if any(task.poll() for task in tasks):
            for task in tasks:
                task.kill()
        time.sleep(0.02)
    return max(abs(task.returncode) for task in tasks)


# --- the daemon ------------------------------------------------------------------------------------------------------------------


def slurmctld(folder: Path) -> int:
    """Starts what waits, notes what has ended, and does what it is ordered to."""
    running: dict[int, subprocess.Popen[bytes]] = {}
    parent = os.getppid()
    while os.getppid() == parent:  # a test that is killed leaves no cluster
        for file in sorted(folder.glob("*.json")):
            job, data = int(file.stem), _read(file)
            order = folder / f"{job}.order"
            if order.exists():
                word = _read(order)["word"]
                order.unlink()
                again = word in ("PREEMPTED", "NODE_FAIL") and data["requeue"]
                _end(folder, job, word)
                if job in running:
                    running.pop(job).wait()
                if data["state"] in ("PENDING", "RUNNING"):
                    _write(file, data | {"state": "PENDING" if again else word, "reason": "BeginTime" if again else "None"})
            elif data["state"] == "PENDING" and not (folder / "hold").exists():
                running[job] = _start(folder, job, data)
                _write(file, data | {"state": "RUNNING", "reason": "None"})
            elif job in running and (status := running[job].poll()) is not None:
                del running[job]
                _write(file, data | {"state": "FAILED" if status else "COMPLETED", "reason": "NonZeroExitCode" if status else "None"})
        time.sleep(0.05)
    for job in running:
        _end(folder, job, "CANCELLED")
    return 0


def _start(folder: Path, job: int, data: dict) -> subprocess.Popen[bytes]:
    script = Path(data["cwd"]) / f"stand-in-{job}.sh"
    script.write_text(data["script"])
    with open(Path(data["cwd"]) / data["output"], "ab") as output:
        environment = data["environment"] | {MARK: f"{folder}:{job}", "SLURM_NTASKS": str(data["ntasks"])}
        return subprocess.Popen(
            ["bash", str(script)], cwd=data["cwd"], env=environment, stdout=output, stderr=output, start_new_session=True
        )


def _end(folder: Path, job: int, word: str) -> None:
    """SIGTERM, and SIGKILL for what does not hear it; a node that died has killed already."""
    until = time.monotonic() + 5
    for pid in processes_of(folder, job) if word != "NODE_FAIL" else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    while (left := processes_of(folder, job)) and time.monotonic() < until:
        time.sleep(0.05)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(globals()[sys.argv[1]](Path(os.environ[FOLDER]), *([sys.argv[2:]] if sys.argv[1] != "slurmctld" else [])))
