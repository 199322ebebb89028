"""What an executor knows of its cluster, and nobody else does: how a gang of processes is submitted, asked after and stopped."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from tunesmith.contracts.resources import Resources
from tunesmith.contracts.worker_process import MARK
from tunesmith.isolation import secret_variables, worker

_WORKERS = (MARK, worker.ADDRESS, worker.TOKEN, worker.RANK, worker.HOST)

State = Literal["queued", "running", "ended", "unknown"]
"""Of a job: it waits for its machines, has them, has them no longer, or can't be asked after at the moment."""


@dataclass(frozen=True)
class Gang:
    """Processes that a cluster starts together, one for each rank.

    Args:
        name: for the scheduler's list; letters, digits and hyphens, at most 63.
        directory: for the cluster's own files, such as a script and what its processes print. All machines see it under the same path.
        ranks: how many processes.
        python: the interpreter of the executor's environment, which all machines see as well.
        job: the job's directory, by which a process knows what it is part of.
        attempt: number of this try, from 1.
        resources: of all ranks together; what is 0 is not known.
    """

    name: str
    directory: Path
    ranks: int
    python: str
    job: Path
    attempt: int
    resources: Resources = field(default_factory=Resources)

    def command(self, rank: int | None = None, variable: str = "") -> Sequence[str]:
        """What is started for a rank.

        Args:
            rank: its number; None: it stands in the `variable` that the cluster sets.
        """
        which = variable if rank is None else str(rank)
        return (self.python, "-m", "tunesmith_jobs.agent", str(self.job), str(self.attempt), which)

    @property
    def environment(self) -> Mapping[str, str]:
        """This process's variables that the job's may have: none with a secret, which a scheduler would keep, and none that makes a process
        a worker of the host. What the step itself needs, agents are told over TLS."""
        withheld = {*secret_variables.withheld(os.environ), *_WORKERS}
        return {name: value for name, value in os.environ.items() if name not in withheld}


class Cluster(Protocol):
    """Methods may block, for they are called in threads; each call is given a minute, and made again if it fails."""

    def submit(self, gang: Gang) -> str:
        """Have it started when there is room; by what it is found again, also by another process.

        Raises:
            TunesmithError: the cluster refuses it, or isn't there.
        """

    def state(self, id: str) -> State:
        """Of what `submit` gave. What the cluster has forgotten has ended."""

    def why(self, id: str) -> str:
        """A sentence of the cluster's on why it waits or has ended; empty where there is none."""

    def stop(self, id: str) -> None:
        """End its processes on all machines, SIGTERM first, or take it out of the queue; nothing where it has ended."""
