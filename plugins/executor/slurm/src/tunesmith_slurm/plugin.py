"""What this plugin brings: the executor `slurm`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_slurm.settings import SlurmSettings


@hookimpl
def executor() -> Provider:
    return Provider("slurm", "steps as batch jobs of a Slurm cluster", "tunesmith_slurm.executor:Slurm", settings=SlurmSettings)
