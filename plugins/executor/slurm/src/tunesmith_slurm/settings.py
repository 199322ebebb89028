"""What stands below `slurm` under `executor` in a pipeline: the options of sbatch have their names."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting
from tunesmith_jobs import JobSettings

TIME = r"^(|\d+|\d+:\d{2}|(\d+-)?\d+(:\d{2}){0,2})$"  # minutes, minutes:seconds, days-hours:minutes:seconds ...
_SCRIPT = {"scene": "the batch script"}


@dataclass(frozen=True)
class SlurmSettings(JobSettings):
    bin: str = setting(
        "", "folder of sbatch, squeue, scancel and srun; empty: they are on the PATH", effect=_SCRIPT, examples=("/opt/slurm/bin",)
    )
    partition: str = setting("", "partition; empty: the cluster's default", examples=("gpu",), effect=_SCRIPT)
    account: str = setting("", "account that is charged; empty: the user's default", effect=_SCRIPT)
    qos: str = setting("", "quality of service; empty: the default", effect=_SCRIPT)
    time: str = setting(
        "", "time limit, as sbatch takes it; empty: the partition's", pattern=TIME, examples=("2-00:00:00",), effect=_SCRIPT
    )
    nodes: int = setting(0, "nodes; 0: Slurm decides", ge=0, effect=_SCRIPT)
    gres: str = setting(
        "", "devices of a node; empty: one GPU a rank where the step wants devices", examples=("gpu:a100:4",), effect=_SCRIPT
    )
    mem: str = setting(
        "", "memory of a node; empty: what the step is estimated to take, where that is known", examples=("64G",), effect=_SCRIPT
    )
    constraint: str = setting("", "features that nodes must have", examples=("a100",), effect=_SCRIPT)
    requeue: bool = setting(True, "be put into the queue again when the job is preempted or a node fails", effect=_SCRIPT)
    options: list[str] = setting((), "further options of sbatch, as they are", examples=(["--exclusive"],), effect=_SCRIPT)
    setup: list[str] = setting(
        (), "lines of shell before the step starts on its nodes", examples=(["module load cuda/12.8"],), effect=_SCRIPT
    )
