"""Settings of the strategy `ddp`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class ReplicaSettings:
    num_processes: int = setting(
        2,
        "how many processes share the work, one device each (on a CPU: a share of its cores)",
        ge=1,
        aliases=("nproc_per_node", "processes"),
    )
    backend: str = setting(
        "auto", "how they talk; auto: what PyTorch has for the device (nccl, xccl, hccl), gloo elsewhere", examples=("gloo", "nccl"),
        effect={"call": "torch.distributed:init_process_group"}, aliases=("ddp_backend",),
    )  # fmt: skip
    bucket_cap_mb: float = setting(
        25.0,
        "gradients are summed in pieces of about this size",
        gt=0,
        effect={"call": "torch.distributed:all_reduce"},
        aliases=("ddp_bucket_cap_mb",),
    )
    find_unused_parameters: bool = setting(
        False, "look in each step for parameters that no row of a process has used (a vision tower, where rows have no pictures)",
        effect={"call": "torch.nn.parallel:DistributedDataParallel.__init__"}, aliases=("ddp_find_unused_parameters",),
    )  # fmt: skip
    timeout: float = setting(
        600.0, "seconds after which a process that waits for another gives up", gt=0,
        effect={"call": "torch.distributed:init_process_group"}, aliases=("ddp_timeout",),
    )  # fmt: skip
