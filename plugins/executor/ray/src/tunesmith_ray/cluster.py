"""What Ray does for a job: a placement group with a bundle for each rank, and a detached actor in each."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith_jobs import Gang, State
from tunesmith_jobs.launch_record import LaunchRecord
from tunesmith_ray.driver_process import DriverProcess
from tunesmith_ray.settings import RaySettings

_WELL = (None, "status 0")  # of a rank that runs, or has ended as it should
_GONE = ("", "REMOVED")


class RayCluster:
    """See `tunesmith_jobs.Cluster`. A job's id is the name of its placement group and the number of its ranks."""

    def __init__(self, settings: RaySettings, driver: DriverProcess) -> None:
        self._settings, self._driver = settings, driver

    def submit(self, gang: Gang) -> str:
        bundle = self.bundle(gang)
        each = ", ".join(f"{amount:g} {name}" for name, amount in bundle.items())
        for name, amount in bundle.items():
            has, taken = self._driver.resources().get(name, 0.0), amount * gang.ranks
            if taken > has:
                raise TunesmithError(
                    "TS-RUN-030", f"The Ray cluster has {has:g} of `{name}`, and the step takes {taken:g}",
                    why=f"Each of its ranks takes {each}.",
                    fix="Compare the settings of the executor `ray` with the cluster's `ray status`, or start more nodes.",
                )  # fmt: skip
        commands = [list(gang.command(rank)) for rank in range(gang.ranks)]
        variables = {name: value for name, value in gang.environment.items() if name.startswith("PYTHON")}  # of an isolated environment
        self._driver.ask(
            "submit", name=gang.name, bundle=bundle, strategy=self._settings.strategy, commands=commands, variables=variables,
            directory=str(gang.directory),
        )  # fmt: skip
        return f"{gang.name}/{gang.ranks}"

    def bundle(self, gang: Gang) -> Mapping[str, float]:
        """What a rank takes."""
        wanted, settings = gang.resources, self._settings
        bundle = {
            "CPU": settings.num_cpus or max(1, wanted.cores // gang.ranks),
            "GPU": settings.num_gpus or math.ceil(wanted.devices / gang.ranks),
            "memory": settings.memory or math.ceil(wanted.memory / gang.ranks),
            **settings.resources,
        }
        return {name: float(amount) for name, amount in bundle.items() if amount}

    def state(self, id: str) -> State:
        told = self._told(id)
        if told["group"] in _GONE:
            return "ended"
        ends = list(told["ends"].values())
        if not ends:
            return "queued"
        if any(end not in _WELL for end in ends):
            return "ended"  # without this rank the others come to no end
        return "running" if None in ends else "ended"

    def why(self, id: str) -> str:
        told = self._told(id)
        if not told["ends"]:
            return f"Ray says {told['group']} ({told.get('why', '')})" if told["group"] not in _GONE else ""
        return "; ".join(f"rank {rank}: {end}" for rank, end in told["ends"].items() if end not in _WELL)

    def stop(self, id: str) -> None:
        name, _, ranks = id.rpartition("/")
        self._driver.ask("stop", name=name, ranks=int(ranks))

    def release(self, directory: Path) -> None:
        """Give back what a job had that has ended well: its actors and its bundles are detached, and nobody else does.

        Args:
            directory: the job's.
        """
        if id := LaunchRecord.read(directory).id:
            with contextlib.suppress(TunesmithError):  # the cluster has ended
                self.stop(id)

    def _told(self, id: str) -> Mapping[str, Any]:
        name, _, ranks = id.rpartition("/")
        return self._driver.ask("state", name=name, ranks=int(ranks))
