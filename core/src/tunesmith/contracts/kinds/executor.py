"""Contract of kind ``executor``: has a step's processes run elsewhere than on this machine, by a cluster's scheduler or on another host.

A worker on this machine, in the executor's own environment, is given the step's job. It has the job started over there, reports what its
ranks report, and gives back what rank 0 returned. It may wait for a queue as long as that takes: the host waits for no cluster, and needs
none of its libraries. If the host or the worker dies, the job goes on for a while; whoever then runs the step is given the same job, with
the same directory, where the executor has noted how it finds it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tunesmith.contracts.resources import Resources

if TYPE_CHECKING:
    from tunesmith.contracts.artifacts import Result
    from tunesmith.contracts.step import Step


@dataclass(frozen=True)
class Job:
    """A gang of ranks, of which none is of use without the others.

    Args:
        name: of the pipeline and the step, for a scheduler's list.
        directory: the job's own, private to the user and kept until the step has ended. It lies on a file system that all machines of the
            job see under the same path, as does all that the ranks read and write.
        entry: ``module:function`` that each rank calls.
        steps: what a worker of each rank is told of the step (the ``step`` of the worker protocol's ``run`` request).
        command: interpreter and arguments that start a worker in the step's environment, which lies on the same file system.
        environment: variables of the workers, on top of those of the machine where they start.
        secrets: names of variables of this machine's that the workers are to have, and that must not be written to a file.
        resources: of all ranks together; what is 0 is not known.
    """

    name: str
    directory: Path
    entry: str
    steps: Sequence[Mapping[str, Any]]
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    resources: Resources = field(default_factory=Resources)


class Executor(Protocol):
    def run(self, step: Step, job: Job, report: Callable[[str, Mapping[str, Any]], None]) -> Result:
        """Have a job carried out: start it, or find again the one that was started from the same directory.

        Args:
            step: the worker's own, for what the executor itself has to say and for its `cancelled`; asked to stop, the job is stopped, on
                all machines.
            report: is given (method, params) of each notification of rank 0's worker, in order, none twice: they count as the step's own.

        Returns:
            What rank 0 returned, whose files lie where its step's ``output`` says.

        Raises:
            TunesmithError: what a rank raised; TS-RUN-028 when the job was lost (a machine that died, a scheduler that ended it) and was
                not, or could not be, started anew.
            Cancelled: it was asked to stop, and nothing of the job runs any more.
        """
