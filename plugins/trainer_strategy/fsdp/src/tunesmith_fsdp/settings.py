"""Settings of the strategy `fsdp`. Names are PyTorch's and accelerate's."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

_SHARD = {"call": "torch.distributed.fsdp:fully_shard"}


@dataclass(frozen=True)
class ShardingSettings:
    num_processes: int = setting(
        2, "how many processes share the work and the model, one device each (on a CPU: a share of its cores)", ge=1,
        aliases=("nproc_per_node", "processes"),
    )  # fmt: skip
    shard_size: int = setting(
        0, "processes that share one copy of the model (hybrid sharding: a node's devices, say); 0: all of them", ge=0,
        examples=(8,), effect=_SHARD, aliases=("hybrid_shard_group_size",),
    )  # fmt: skip
    reshard_after_forward: bool = setting(
        True, "free a layer's parameters after the forward pass and gather them again in the backward pass (ZeRO-3); "
        "false: keep them, for more memory and less traffic (ZeRO-2)",
        effect=_SHARD, aliases=("fsdp_reshard_after_forward",),
    )  # fmt: skip
    cpu_offload: bool = setting(
        False, "keep parameters, gradients and the optimizer's state in the host's memory", effect=_SHARD,
        aliases=("fsdp_offload_params", "offload_params"),
    )  # fmt: skip
    param_dtype: str = setting(
        "auto", "dtype in which parameters are gathered; auto: their own", choices=("auto", "float32", "bfloat16"), effect=_SHARD
    )
    reduce_dtype: str = setting(
        "auto", "dtype in which gradients are summed; auto: the parameters' own", choices=("auto", "float32", "bfloat16"), effect=_SHARD
    )
    backend: str = setting(
        "auto", "how they talk; auto: what PyTorch has for the device (nccl, xccl, hccl), gloo elsewhere", examples=("gloo", "nccl"),
        effect={"call": "torch.distributed:init_process_group"},
    )  # fmt: skip
    timeout: float = setting(
        600.0, "seconds after which a process that waits for another gives up", gt=0,
        effect={"call": "torch.distributed:init_process_group"},
    )  # fmt: skip
