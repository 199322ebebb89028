"""What stands below `ssh` under `executor` in a pipeline. User, port and identity of a host stand in OpenSSH's own configuration."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting
from tunesmith_jobs import JobSettings

_HOSTS = {"scene": "where the ranks of a step are started, or why they can't be"}


@dataclass(frozen=True, kw_only=True)
class SshSettings(JobSettings):
    hosts: dict[str, int] = setting(
        help="hosts by their names for ssh, each with the number of ranks of a step that it takes; the first are filled first",
        examples=({"gpu1": 4, "user@gpu2": 4},), effect=_HOSTS,
    )  # fmt: skip
    steps_per_host: int = setting(
        1, "steps that may run on a host at the same time; a step beyond waits", ge=1, effect={"scene": "two steps for one host"}
    )
    ssh_config: str = setting(
        "", "configuration file of ssh; empty: the user's and the system's", path=True, examples=("ssh_config",), effect=_HOSTS
    )
    setup: list[str] = setting(
        (), "lines of shell on a host before a step starts there", examples=(["module load cuda/12.8"],), effect=_HOSTS
    )
