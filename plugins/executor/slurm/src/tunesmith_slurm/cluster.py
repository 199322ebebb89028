"""What Slurm's commands do for a job: sbatch, squeue, scancel."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tunesmith.errors import TunesmithError
from tunesmith_jobs import Gang, State
from tunesmith_slurm.batch_script import batch_script, program
from tunesmith_slurm.settings import SlurmSettings

SCRIPT = "batch.sh"
TIMEOUT = 50.0  # seconds for a command
_WAITING = ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD")
_AT_WORK = ("RUNNING", "COMPLETING", "SUSPENDED", "SIGNALING", "STAGE_OUT", "STOPPED", "RESIZING")
_FORGOTTEN = "Invalid job id"


class SlurmCluster:
    """See `tunesmith_jobs.Cluster`."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings

    def submit(self, gang: Gang) -> str:
        script = gang.directory / SCRIPT
        script.write_text(batch_script(gang, self._settings), encoding="utf-8")
        done = _slurm(program(self._settings, "sbatch"), "--parsable", str(script), cwd=gang.directory, env=gang.environment)
        if done.returncode:
            raise TunesmithError(
                "TS-RUN-030", f"Slurm does not take the job {gang.name}: {_said(done)}",
                fix=f"Compare the settings of the executor `slurm` with the cluster's `sinfo`; `sbatch {script}` by hand says the same.",
            )  # fmt: skip
        return done.stdout.strip().partition(";")[0]

    def state(self, id: str) -> State:
        word = self._asked(id, "%T")
        if word is None:
            return "unknown"
        return "queued" if word in _WAITING else "running" if word in _AT_WORK else "ended"

    def why(self, id: str) -> str:
        word, reason = self._asked(id, "%T") or "", self._asked(id, "%r") or ""
        said = f"Slurm says {word}" + (f" ({reason})" if reason not in ("", "None") else "")
        return said if word else ""

    def stop(self, id: str) -> None:
        _slurm(program(self._settings, "scancel"), id)

    def _asked(self, id: str, what: str) -> str | None:
        """A field of squeue's; empty where the job is not known any more, None where Slurm does not answer."""
        done = _slurm(program(self._settings, "squeue"), "--noheader", "--states=all", f"--jobs={id}", f"--format={what}")
        if done.returncode:
            return "" if _FORGOTTEN in done.stderr else None
        return done.stdout.strip()


def _slurm(*command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """
    Raises:
        TunesmithError: TS-RUN-030 where there is no such command.
        OSError: it does not answer.
    """
    try:
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=TIMEOUT)
    except FileNotFoundError:
        raise TunesmithError(
            "TS-RUN-030", f"There is no `{command[0]}` here",
            fix="Run this where jobs are submitted, load Slurm's module, or give its folder as `bin` of the executor `slurm`.",
        ) from None  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{command[0]} did not answer in {TIMEOUT:.0f} s") from error


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines: Sequence[str] = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"
