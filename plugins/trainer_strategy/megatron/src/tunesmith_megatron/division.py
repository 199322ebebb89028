"""Whether a model and a number of processes can be divided as the settings say. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_megatron.architecture import Architecture


def sizes_of(settings: Mapping[str, Any]) -> tuple[int, int, int]:
    """Processes of a layer, stages, and processes that divide the experts."""
    tensor, stages, experts = (f"{name}_model_parallel_size" for name in ("tensor", "pipeline", "expert"))
    return int(settings[tensor]), int(settings[stages]), int(settings[experts])


def expert_size(settings: Mapping[str, Any]) -> int:
    """Processes of an expert."""
    return int(settings["expert_tensor_parallel_size"] or settings["tensor_model_parallel_size"])


def check_processes(settings: Mapping[str, Any], processes: int) -> None:
    """Raises:
    UserError: TS-TRAIN-082 when the processes can't be divided so.
    """
    tensor, stages, experts = sizes_of(settings)
    if processes % (tensor * stages * (context := int(settings["context_parallel_size"]))):
        groups = f"`tensor_model_parallel_size` {tensor} times `pipeline_model_parallel_size` {stages}"
        raise _processes(processes, groups + (f" times `context_parallel_size` {context}" if context > 1 else ""))
    if processes // stages % ((each := expert_size(settings)) * experts):
        raise _processes(
            processes // stages, f"`expert_tensor_parallel_size` {each} times `expert_model_parallel_size` {experts}, within a stage"
        )
    if settings["sequence_parallel"] and tensor == 1:
        raise UserError(
            "TS-TRAIN-081", "`sequence_parallel` divides tokens among the processes of a layer, and each layer has one",
            fix="Set `tensor_model_parallel_size`, or leave `sequence_parallel` out.",
        )  # fmt: skip


def check_model(settings: Mapping[str, Any], shape: Architecture) -> None:
    """Raises:
    UserError: TS-TRAIN-081 when the model can't be divided so.
    """
    tensor, stages, experts = sizes_of(settings)
    moe, each = shape.experts > 0, expert_size(settings)
    for name, count, what in (
        ("tensor_model_parallel_size", shape.heads % tensor and shape.heads, "attention heads"),
        ("tensor_model_parallel_size", shape.kv_heads % tensor and shape.kv_heads, "key and value heads"),
        ("tensor_model_parallel_size", shape.vocabulary % tensor and shape.vocabulary, "tokens in its vocabulary"),
        ("tensor_model_parallel_size", shape.intermediate % tensor and shape.intermediate, "as the inner width of its layers"),
        (
            "expert_tensor_parallel_size" if settings["expert_tensor_parallel_size"] else "tensor_model_parallel_size",
            shape.expert_intermediate % each and shape.expert_intermediate,
            "as the inner width of an expert",
        ),
        ("pipeline_model_parallel_size", shape.layers % stages and shape.layers, "layers"),
        ("expert_model_parallel_size", moe and shape.experts % experts and shape.experts, "experts"),
    ):
        if count:
            raise UserError(
                "TS-TRAIN-081", f"The model has {count:,} {what}, which `{name}: {settings[name]}` does not divide",
                fix=f"Set `{name}` to a divisor of {count:,}.",
            )  # fmt: skip
    for name in ("expert_model_parallel_size", "expert_tensor_parallel_size") if not moe else ():
        if (size := settings[name] or 1) > 1:
            raise UserError(
                "TS-TRAIN-081", f"`{name}: {size}` divides experts, and the model has none", fix=f"Leave `{name}` out."
            )  # fmt: skip
    if moe and tensor > 1 and not settings["sequence_parallel"]:
        raise UserError(
            "TS-TRAIN-081", "Megatron trains experts with `tensor_model_parallel_size` only where `sequence_parallel` is set",
            fix="Set `sequence_parallel: true`.",
        )  # fmt: skip


def _processes(count: int, groups: str) -> UserError:
    return UserError(
        "TS-TRAIN-082", f"{count} processes can't be divided into groups of {groups}",
        fix="Set `num_processes` to a multiple of that product.",
    )  # fmt: skip
