"""Settings that every executor has."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting

_CONTACT = {"scene": "the file by which a job's agents find their host"}
_LOST = {"scene": "jobs that are lost"}


@dataclass(frozen=True)
class JobSettings:
    host: str = setting("", "name or address by which the job's machines reach this one; empty: all that it has are tried", effect=_CONTACT)
    max_retries: int = setting(2, "how often a job that was lost is started anew, from the step's last checkpoint", ge=0, effect=_LOST)
    heartbeat_timeout: float = setting(
        60.0, "seconds without a sign of life from a machine after which its job is taken for lost", gt=0,
        effect={"call": "tunesmith_jobs.rank_links:silent"},
    )  # fmt: skip
    reconnect_timeout: float = setting(
        3600.0, "seconds for which a job goes on without the host that started it, until that resumes the run", ge=0, effect=_CONTACT
    )
