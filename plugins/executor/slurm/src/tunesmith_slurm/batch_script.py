"""The script of a job, as one would write it by hand: its options, what is to be set up, and a task for each rank."""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from tunesmith_jobs import Gang
from tunesmith_slurm.settings import SlurmSettings


def batch_script(gang: Gang, settings: SlurmSettings) -> str:
    """A script for sbatch, in bash. Where the cluster knows nothing of what a step takes, its own defaults hold."""
    wanted = gang.resources
    options = {
        "job-name": gang.name, "output": str(gang.directory / "slurm-%j.out"), "open-mode": "append", "ntasks": gang.ranks,
        "cpus-per-task": max(1, wanted.cores // gang.ranks), "nodes": settings.nodes or "", "partition": settings.partition,
        "account": settings.account, "qos": settings.qos, "time": settings.time, "constraint": settings.constraint,
        "gres": settings.gres, "mem": settings.mem,
    }  # fmt: skip
    if wanted.devices and not settings.gres:
        options["gpus-per-task"] = math.ceil(wanted.devices / gang.ranks)
    if wanted.memory and not settings.mem:
        options["mem-per-cpu"] = f"{math.ceil(wanted.memory / 2**20 / gang.ranks / options['cpus-per-task'])}M"
    flags = [f"--{name}={_quoted(str(value))}" for name, value in options.items() if value != ""]
    flags += ["--requeue" if settings.requeue else "--no-requeue", *map(_quoted, settings.options)]
    task = " ".join(map(shlex.quote, gang.command(variable="SLURM_PROCID")))
    lines = [
        "#!/bin/bash", *(f"#SBATCH {flag}" for flag in flags), "set -euo pipefail", *settings.setup,
        # the first rank that ends badly ends the others; a node that is lost ends the job, which is then started anew
        f"exec {shlex.quote(program(settings, 'srun'))} --kill-on-bad-exit=1 --unbuffered {task}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def program(settings: SlurmSettings, name: str) -> str:
    """Where one of Slurm's commands is."""
    return str(Path(settings.bin) / name) if settings.bin else name


def _quoted(value: str) -> str:
    """For a line of #SBATCH, which knows double quotes."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if any(mark in value for mark in " \t'\"\\#") else value
