"""What stands below `ray` under `executor` in a pipeline: what a rank takes has Ray's names."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting
from tunesmith_jobs import JobSettings

_BUNDLE = {"scene": "what is reserved for a rank"}


@dataclass(frozen=True)
class RaySettings(JobSettings):
    address: str = setting(
        "auto", "host and port of a Ray cluster; auto: the one of this machine; local: one is started here for the step",
        examples=("10.0.0.1:6379", "local"), effect={"scene": "another cluster"},
    )  # fmt: skip
    strategy: str = setting(
        "PACK", "where ranks are: on few nodes or spread, as far as it goes, or in any case",
        choices=("PACK", "SPREAD", "STRICT_PACK", "STRICT_SPREAD"), effect=_BUNDLE,
    )  # fmt: skip
    num_cpus: float = setting(0.0, "CPUs of a rank; 0: what the step is estimated to take, at least one", ge=0, effect=_BUNDLE)
    num_gpus: float = setting(0.0, "GPUs of a rank; 0: one where the step wants devices", ge=0, effect=_BUNDLE)
    memory: int = setting(0, "bytes of memory of a rank; 0: what the step is estimated to take, where that is known", ge=0, effect=_BUNDLE)
    resources: dict[str, float] = setting(
        {}, "further resources of a rank, as the nodes declare them", examples=({"a100": 1},), effect=_BUNDLE
    )
