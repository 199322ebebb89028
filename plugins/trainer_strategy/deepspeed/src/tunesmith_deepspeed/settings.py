"""Settings of the strategy `deepspeed`. Names are those of DeepSpeed's JSON.

What is None is the preset's, and built in where there is no preset or it says nothing: see `presets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import setting
from tunesmith_deepspeed.presets import BUILT_IN, presets

_JSON = {"call": "deepspeed:initialize"}
_STAGE_3 = {"with": {"stage": 3}, "call": "deepspeed:initialize"}
_PLACES = ("none", "cpu", "nvme")


def _else(name: str) -> str:
    return f"; left out: the preset's, else {BUILT_IN[name]}"


@dataclass(frozen=True)
class ZeroSettings:
    preset: str | None = setting(
        None, "settings for a usual situation, each with its reason and source in the plan; what you set beside it goes before it",
        choices=tuple(presets()), effect=_JSON,
    )  # fmt: skip
    num_processes: int | None = setting(
        None, "how many processes share the work, one device each (on a CPU: a share of its cores)" + _else("num_processes"), ge=1,
        aliases=("nproc_per_node", "processes"),
    )  # fmt: skip
    stage: int | None = setting(
        None, "what they divide: 1: the optimizer's state; 2: gradients, too; 3: parameters, too" + _else("stage"), choices=(1, 2, 3),
        effect=_JSON, aliases=("zero_stage",),
    )  # fmt: skip
    offload_optimizer: str | None = setting(
        None, "where the optimizer's state is kept and its step computed instead of on the device; nvme: with stage 3"
        + _else("offload_optimizer"),
        choices=_PLACES, effect=_JSON, aliases=("offload_optimizer_device",),
    )  # fmt: skip
    offload_param: str | None = setting(
        None, "where parameters are kept while no layer computes with them, with stage 3" + _else("offload_param"), choices=_PLACES,
        effect=_STAGE_3, aliases=("offload_param_device",),
    )  # fmt: skip
    nvme_path: str = setting(
        "", "folder on a local disk for what is offloaded to `nvme`", examples=("/local_nvme",),
        effect={"with": {"stage": 3, "offload_optimizer": "cpu"}, "call": "deepspeed:initialize"},
        aliases=("offload_optimizer_nvme_path", "offload_param_nvme_path"),
    )  # fmt: skip
    reduce_bucket_size: int | None = setting(
        None, "numbers of gradients that are reduced at a time; 0: all that train, 500 million at most" + _else("reduce_bucket_size"),
        ge=0, effect=_JSON,
    )  # fmt: skip
    allgather_bucket_size: int | None = setting(
        None, "numbers of parameters that are gathered at a time after a step, with stages 1 and 2" + _else("allgather_bucket_size"),
        ge=1, effect={"with": {"stage": 2}, "call": "deepspeed:initialize"},
    )  # fmt: skip
    overlap_comm: bool | None = setting(
        None, "reduce gradients while the backward pass still runs, for more memory; left out: the preset's, else with stage 3 only",
        effect=_JSON,
    )  # fmt: skip
    zero_hpz_partition_size: int | None = setting(
        None, "processes (a node's, say) that keep a second copy of the parameters in pieces among them, so that the backward pass gathers "
        "them within the node (ZeRO++), with stage 3; 1: none" + _else("zero_hpz_partition_size"),
        ge=1, effect=_STAGE_3,
    )  # fmt: skip
    stage3_prefetch_bucket_size: int | None = setting(
        None, "numbers of parameters that are gathered ahead, with stage 3" + _else("stage3_prefetch_bucket_size"), ge=0, effect=_STAGE_3
    )
    stage3_param_persistence_threshold: int | None = setting(
        None, "parameters of fewer numbers stay whole, with stage 3" + _else("stage3_param_persistence_threshold"), ge=0, effect=_STAGE_3
    )
    stage3_max_live_parameters: int | None = setting(
        None, "numbers of parameters that are whole at a time at most, with stage 3" + _else("stage3_max_live_parameters"), ge=0,
        effect=_STAGE_3,
    )  # fmt: skip
    sub_group_size: int | None = setting(
        None, "numbers of parameters that the optimizer's step takes at a time, with stage 3" + _else("sub_group_size"), ge=1,
        effect=_STAGE_3,
    )  # fmt: skip
    config: dict[str, Any] = setting(
        {}, "entries of DeepSpeed's JSON that go before what is derived from the settings",
        examples=({"zero_optimization": {"round_robin_gradients": True}},), effect=_JSON,
    )  # fmt: skip
    backend: str = setting(
        "auto", "how they talk; auto: what PyTorch has for the device (nccl, xccl, hccl), gloo elsewhere", examples=("gloo", "nccl"),
        effect={"call": "torch.distributed:init_process_group"},
    )  # fmt: skip
    timeout: float = setting(
        600.0, "seconds after which a process that waits for another gives up", gt=0,
        effect={"call": "torch.distributed:init_process_group"},
    )  # fmt: skip
