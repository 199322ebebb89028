"""Health check: the library imports, and has what the strategy reaches for inside it."""

from __future__ import annotations


def probe() -> dict[str, str]:
    """Versions that matter; raises what is wrong."""
    import torch

    from tunesmith_deepspeed import library

    deepspeed = library.load(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    from deepspeed.runtime.zero.partitioned_param_coordinator import PartitionedParameterCoordinator
    from deepspeed.runtime.zero.stage3 import DeepSpeedZeroOptimizer_Stage3
    from deepspeed.runtime.zero.stage_1_and_2 import DeepSpeedZeroOptimizer

    for owner, name in (
        (DeepSpeedZeroOptimizer, "scaled_global_norm"), (DeepSpeedZeroOptimizer_Stage3, "_get_norm_groups"),
        (DeepSpeedZeroOptimizer_Stage3, "get_param_id"), (deepspeed.zero.Init, "_convert_to_zero_parameters"),
        (PartitionedParameterCoordinator, "_invalidate_trace"),
    ):  # fmt: skip
        if not callable(getattr(owner, name, None)):
            raise AttributeError(f"DeepSpeed {deepspeed.__version__} has no {owner.__name__}.{name}")
    return {"deepspeed": deepspeed.__version__, "torch": torch.__version__}
