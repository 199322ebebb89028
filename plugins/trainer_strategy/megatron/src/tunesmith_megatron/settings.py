"""Settings of the strategy `megatron`. Names are Megatron's."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

_GROUPS = {"call": "megatron.core.parallel_state:initialize_model_parallel"}
_CONFIG = {"call": "megatron.core.transformer:TransformerConfig.__init__"}


@dataclass(frozen=True)
class MegatronSettings:
    num_processes: int = setting(
        2, "how many processes share the work and the model, one device each", ge=1, aliases=("nproc_per_node", "processes", "world_size")
    )
    tensor_model_parallel_size: int = setting(
        1, "processes that compute each layer together, a part of its heads and of its inner width each", ge=1, effect=_GROUPS,
        aliases=("tensor_parallel_size", "tp"),
    )  # fmt: skip
    pipeline_model_parallel_size: int = setting(
        1, "stages that the layers are divided into; micro-batches pass through them one behind the other", ge=1, effect=_GROUPS,
        aliases=("pipeline_parallel_size", "pp"),
        unlike={
            "virtual_pipeline_model_parallel_size": "interleaved stages are not offered: give a step more micro-batches "
            "(`max_tokens_per_microbatch`), with which stages wait less"
        },
    )  # fmt: skip
    sequence_parallel: bool = setting(
        False,
        "divide what lies between the layers' matrices by tokens among the processes of a layer, too: less memory for the same traffic",
        effect=_CONFIG,
    )  # fmt: skip
    context_parallel_size: int = setting(
        1, "processes that divide the tokens of each sequence among them, through all layers, for sequences too long for one", ge=1,
        effect=_GROUPS, aliases=("cp",),
        unlike={"cp_comm_type": "keys and values are gathered (`all_gather`); the other ways need Transformer Engine"},
    )  # fmt: skip
    expert_model_parallel_size: int = setting(
        1, "processes that divide the experts of a mixture-of-experts model among them, each with rows of its own", ge=1, effect=_GROUPS,
        aliases=("expert_parallel_size", "ep"),
    )  # fmt: skip
    expert_tensor_parallel_size: int | None = setting(
        None, "processes that compute each expert together; 1: each expert is whole on one; left out: as `tensor_model_parallel_size`",
        ge=1, effect=_GROUPS, aliases=("etp",),
    )  # fmt: skip
    overlap_grad_reduce: bool = setting(
        False, "sum gradients over processes with other rows while the backward pass still runs",
        effect={"call": "megatron.core.distributed:DistributedDataParallelConfig.__init__"},
    )  # fmt: skip
    backend: str = setting(
        "auto", "how they talk; auto: nccl on NVIDIA devices", examples=("nccl",), effect={"call": "torch.distributed:init_process_group"}
    )
    timeout: float = setting(
        600.0, "seconds after which a process that waits for another gives up", gt=0,
        effect={"call": "torch.distributed:init_process_group"},
    )  # fmt: skip
