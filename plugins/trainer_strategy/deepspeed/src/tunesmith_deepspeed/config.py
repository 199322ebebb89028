"""DeepSpeed's JSON, from the settings and the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import UserError

LARGEST_BUCKET = 500_000_000  #: numbers, DeepSpeed's default
_STAGE_3 = ("stage3_prefetch_bucket_size", "stage3_param_persistence_threshold", "stage3_max_live_parameters", "sub_group_size")

#: entries of the JSON that the step's settings or the strategy's own decide, and which
_OWNED = {
    "train_batch_size": "the step's `batch_size`",
    "train_micro_batch_size_per_gpu": "the step's `max_tokens_per_microbatch`",
    "gradient_accumulation_steps": "the step's `batch_size` and `max_tokens_per_microbatch`",
    "managed_gradient_accumulation": "the engine, which knows the last micro-batch of a step",
    "gradient_clipping": "the step's `max_grad_norm`",
    "optimizer": "the step's `optimizer`",
    "scheduler": "the step's `lr_scheduler_type`",
    "prescale_gradients": "the engine, which sums gradients over the processes",
    "gradient_predivide_factor": "the engine, which sums gradients over the processes",
    "fp16": "the step's `dtype`",
    "bf16": "the step's `dtype`",
    "bfloat16": "the step's `dtype`",
    "amp": "the step's `dtype`",
    "torch_autocast": "the step's `dtype`",
    "data_types": "the step's `dtype`",
    "tensor_parallel": "the strategy, which divides by ZeRO alone",
    "pipeline": "the strategy, which divides by ZeRO alone",
    "zero_allow_untested_optimizer": "the step's `optimizer`",
    "zero_force_ds_cpu_optimizer": "the step's `optimizer`",
    "zero_optimization.stage": "the strategy's `stage`",
}


def check(settings: Any, processes: int) -> None:
    """What the settings say together.

    Args:
        settings: a `ZeroSettings` with everything filled in.

    Raises:
        UserError: TS-TRAIN-064 when `zero_hpz_partition_size` does not divide the processes; TS-TRAIN-067 for entries of `config` that are
            decided elsewhere; TS-TRAIN-068 for settings that the stage has not.
    """
    for entry, owner in _OWNED.items():
        group, _, name = entry.rpartition(".")
        inside = settings.config.get(group, {}) if group else settings.config
        if isinstance(inside, Mapping) and name in inside:
            raise UserError(
                "TS-TRAIN-067", f"`config` of the strategy `deepspeed` can't say `{entry}`: that is decided by {owner}",
                fix=f"Leave `{entry}` out of `config`.",
            )  # fmt: skip
    stage, places = settings.stage, (settings.offload_optimizer, settings.offload_param)
    for wrong, what, fix in (
        (stage < 3 and settings.offload_param != "none", "`offload_param` moves parameters, which are in pieces with stage 3 only",
         "Set `stage: 3`, or leave `offload_param` out."),
        (stage < 3 and "nvme" in places, "DeepSpeed keeps the optimizer's state on a disk with stage 3 only",
         "Set `stage: 3`, or `offload_optimizer: cpu`."),
        (stage < 3 and settings.zero_hpz_partition_size > 1, "`zero_hpz_partition_size` copies parameters in pieces, which stage 3 has",
         "Set `stage: 3`, or leave `zero_hpz_partition_size` out."),
        ("nvme" in places and not settings.nvme_path, "`nvme` needs a folder to write to",
         "Set `nvme_path` to a folder on a local disk."),
    ):  # fmt: skip
        if wrong:
            raise UserError("TS-TRAIN-068", f"Strategy `deepspeed`, stage {stage}: {what}", fix=fix)
    size = settings.zero_hpz_partition_size
    if processes % size:
        raise UserError(
            "TS-TRAIN-064", f"{processes} processes can't be divided into groups of {size}",
            fix=f"Set `zero_hpz_partition_size` to a divisor of {processes}, or to 1: no second copy.",
        )  # fmt: skip


def check_said(said: Any, stage: int) -> None:
    """What the user says beside a stage that has no use for it; what a preset says of stage 3 is left out with another stage.

    Args:
        said: a `ZeroSettings` as the user wrote it: None where nothing was said.

    Raises:
        UserError: TS-TRAIN-068 for a setting that would have no effect.
    """
    idle = ("allgather_bucket_size",) if stage == 3 else _STAGE_3
    for name in idle:
        if getattr(said, name) is not None:
            stages = "1 and 2" if stage == 3 else "3"
            raise UserError(
                "TS-TRAIN-068", f"Strategy `deepspeed`, stage {stage}: `{name}` would have no effect: it is of stage {stages}",
                fix=f"Leave `{name}` out, or set `stage: {2 if stage == 3 else 3}`.",
            )  # fmt: skip


def config_of(settings: Any, *, trained: int, on_device: bool) -> dict[str, Any]:
    """What `deepspeed.initialize` is given.

    Args:
        settings: a `ZeroSettings` with everything filled in.
        trained: how many numbers train.
        on_device: whether the model computes on an accelerator, so that memory of the host may be pinned for it.
    """
    zero: dict[str, Any] = {
        "stage": settings.stage,
        "reduce_bucket_size": settings.reduce_bucket_size or min(LARGEST_BUCKET, max(1, trained)),
    }
    if settings.overlap_comm is not None:
        zero["overlap_comm"] = settings.overlap_comm
    if settings.stage < 3:
        zero["allgather_bucket_size"] = settings.allgather_bucket_size + settings.allgather_bucket_size % 2  # DeepSpeed takes pairs
    else:
        for name in ("stage3_prefetch_bucket_size", "stage3_param_persistence_threshold", "stage3_max_live_parameters"):
            zero[name] = getattr(settings, name)
        zero |= {"sub_group_size": settings.sub_group_size, "zero_hpz_partition_size": settings.zero_hpz_partition_size}
    for name in ("offload_optimizer", "offload_param"):
        place = getattr(settings, name)
        if place != "none":
            zero[name] = {"device": place, "pin_memory": on_device} | ({"nvme_path": settings.nvme_path} if settings.nvme_path else {})
    derived = {
        # One row stands for a micro-batch: how many there are in a step, and of how many rows, is another matter for every step.
        "train_micro_batch_size_per_gpu": 1, "gradient_accumulation_steps": 1,
        "gradient_clipping": 0.0, "steps_per_print": None,
        "zero_allow_untested_optimizer": True, "zero_force_ds_cpu_optimizer": False,
        "zero_optimization": zero,
    }  # fmt: skip
    return _over(derived, settings.config)


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both, entry by entry; where they differ, `above`."""
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _over(merged[name], value) if both else value
    return merged
