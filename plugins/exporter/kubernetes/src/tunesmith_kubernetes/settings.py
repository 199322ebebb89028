"""Settings of the exporter `kubernetes`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class KubernetesSettings:
    image: str = setting(
        help="as it was pushed, with a tag or a digest that pins it",
        pattern=r"^[\w./-]+(:[0-9]+/[\w./-]+)?(:(?!latest$)[\w.-]+|(:[\w.-]+)?@sha256:[0-9a-f]{64})$",
        examples=("registry.example/team/model:1", "ghcr.io/team/model:2"),
    )
    name: str = setting(
        "", "of all that is made; empty: the model's name in requests, in letters that a cluster takes",
        pattern=r"^$|^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$", examples=("support-bot",),
    )  # fmt: skip
    replicas: int = setting(1, "containers at the least", ge=1)
    max_replicas: int = setting(4, "containers at the most, as many as the load asks for", ge=1)
    cpu: float = setting(2.0, "cores that a container asks for; it computes with as many threads", ge=0.1)
    target_cpu: int = setting(70, "percent of these cores in use, on average, above which containers are added", ge=1, le=100)
    memory_headroom: float = setting(1.25, "limit of memory, as a multiple of the estimate", ge=1.0, le=10.0)
