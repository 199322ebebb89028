"""What executors share: a job of several ranks on other machines, heard over TLS, found again after its host has died.

An executor brings a `Cluster`, which knows how a gang of processes is submitted, asked after and stopped; `carry_out` does the rest.
"""

from tunesmith.contracts.lazy_import import exports

_HOMES = {
    "Cluster": "tunesmith_jobs.cluster", "Gang": "tunesmith_jobs.cluster", "State": "tunesmith_jobs.cluster",
    "JobSettings": "tunesmith_jobs.settings", "carry_out": "tunesmith_jobs.launcher",
}  # fmt: skip
__all__ = sorted(_HOMES)
__getattr__ = exports(__name__, _HOMES)
