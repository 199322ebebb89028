"""The executor: hands a step's job to Slurm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.contracts.artifacts import Result
from tunesmith.contracts.kinds.executor import Job
from tunesmith.contracts.step import Step
from tunesmith_jobs import carry_out
from tunesmith_slurm.cluster import SlurmCluster
from tunesmith_slurm.settings import SlurmSettings


class Slurm:
    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings

    def run(self, step: Step, job: Job, report: Callable[[str, Mapping[str, Any]], None]) -> Result:
        """Have the job carried out by the cluster whose commands are on the PATH."""
        return carry_out(SlurmCluster(self._settings), self._settings, step, job, report)
