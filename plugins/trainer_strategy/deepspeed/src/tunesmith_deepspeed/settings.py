"""Settings of the strategy `deepspeed`. Names are those of DeepSpeed's JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import setting

_JSON = {"call": "deepspeed:initialize"}
_STAGE_3 = {"with": {"stage": 3}, "call": "deepspeed:initialize"}
_PLACES = ("none", "cpu", "nvme")


@dataclass(frozen=True)
class ZeroSettings:
    num_processes: int = setting(
        2, "how many processes share the work, one device each (on a CPU: a share of its cores)", ge=1,
        aliases=("nproc_per_node", "processes"),
    )  # fmt: skip
    stage: int = setting(
        2, "what they divide: 1: the optimizer's state; 2: gradients, too; 3: parameters, too", choices=(1, 2, 3), effect=_JSON,
        aliases=("zero_stage",),
    )  # fmt: skip
    offload_optimizer: str = setting(
        "none", "where the optimizer's state is kept and its step computed instead of on the device; nvme: with stage 3",
        choices=_PLACES, effect=_JSON, aliases=("offload_optimizer_device",),
    )  # fmt: skip
    offload_param: str = setting(
        "none", "where parameters are kept while no layer computes with them, with stage 3", choices=_PLACES, effect=_STAGE_3,
        aliases=("offload_param_device",),
    )  # fmt: skip
    nvme_path: str = setting(
        "", "folder on a local disk for what is offloaded to `nvme`", examples=("/local_nvme",),
        effect={"with": {"stage": 3, "offload_optimizer": "cpu"}, "call": "deepspeed:initialize"},
        aliases=("offload_optimizer_nvme_path", "offload_param_nvme_path"),
    )  # fmt: skip
    reduce_bucket_size: int = setting(
        0, "numbers of gradients that are reduced at a time; 0: all that train, 500 million at most", ge=0, effect=_JSON
    )
    allgather_bucket_size: int = setting(
        500_000_000, "numbers of parameters that are gathered at a time after a step, with stages 1 and 2", ge=1,
        effect={"with": {"stage": 2}, "call": "deepspeed:initialize"},
    )  # fmt: skip
    overlap_comm: bool | None = setting(
        None, "reduce gradients while the backward pass still runs, for more memory; left out: with stage 3 only", effect=_JSON
    )
    zero_hpz_partition_size: int = setting(
        1, "processes (a node's, say) that keep a second copy of the parameters in pieces among them, so that the backward pass gathers "
        "them within the node (ZeRO++), with stage 3; 1: none",
        ge=1, effect=_STAGE_3,
    )  # fmt: skip
    stage3_prefetch_bucket_size: int = setting(
        50_000_000, "numbers of parameters that are gathered ahead, with stage 3", ge=0, effect=_STAGE_3
    )
    stage3_param_persistence_threshold: int = setting(
        100_000, "parameters of fewer numbers stay whole, with stage 3", ge=0, effect=_STAGE_3
    )
    stage3_max_live_parameters: int = setting(
        1_000_000_000, "numbers of parameters that are whole at a time at most, with stage 3", ge=0, effect=_STAGE_3
    )
    sub_group_size: int = setting(
        1_000_000_000, "numbers of parameters that the optimizer's step takes at a time, with stage 3", ge=1, effect=_STAGE_3
    )
    config: dict[str, Any] = setting(
        {}, "entries of DeepSpeed's JSON that go before what is derived from the settings",
        examples=({"zero_optimization": {"round_robin_gradients": True}},), effect=_JSON,
    )  # fmt: skip
    backend: str = setting(
        "auto", "how they talk; auto: nccl on NVIDIA devices, gloo elsewhere", examples=("gloo", "nccl"),
        effect={"call": "torch.distributed:init_process_group"},
    )  # fmt: skip
    timeout: float = setting(
        600.0, "seconds after which a process that waits for another gives up", gt=0,
        effect={"call": "torch.distributed:init_process_group"},
    )  # fmt: skip
