"""The executor: hands a step's job to the hosts of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.contracts.artifacts import Result
from tunesmith.contracts.kinds.executor import Job
from tunesmith.contracts.step import Step
from tunesmith_jobs import carry_out
from tunesmith_ssh.client import SshClient
from tunesmith_ssh.cluster import SshCluster
from tunesmith_ssh.settings import SshSettings


class Ssh:
    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings

    def run(self, step: Step, job: Job, report: Callable[[str, Mapping[str, Any]], None]) -> Result:
        """Have the job carried out by the hosts of the settings."""
        with SshClient(self._settings.ssh_config) as client:
            return carry_out(SshCluster(self._settings, client, job.directory, step.log), self._settings, step, job, report)
