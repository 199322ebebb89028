"""The executor: hands a step's job to Ray."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.contracts.artifacts import Result
from tunesmith.contracts.kinds.executor import Job
from tunesmith.contracts.step import Step
from tunesmith_jobs import carry_out
from tunesmith_ray.cluster import RayCluster
from tunesmith_ray.driver_process import DriverProcess
from tunesmith_ray.local_cluster import LocalCluster
from tunesmith_ray.settings import RaySettings


class Ray:
    def __init__(self, settings: RaySettings) -> None:
        self._settings = settings

    def run(self, step: Step, job: Job, report: Callable[[str, Mapping[str, Any]], None]) -> Result:
        """Have the job carried out by the Ray cluster of the settings."""
        local = LocalCluster(job.directory, self._settings.reconnect_timeout) if self._settings.address == "local" else None
        address = local.address() if local else self._settings.address
        try:
            with DriverProcess(address, job.directory) as driver:
                cluster = RayCluster(self._settings, driver)
                result = carry_out(cluster, self._settings, step, job, report)
                cluster.release(job.directory)
                return result
        finally:
            if local:
                local.close()
