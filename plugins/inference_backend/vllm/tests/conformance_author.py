"""What the conformance kit can't know: how the engine is started on a device that this machine may lack."""

from dataclasses import replace
from types import SimpleNamespace


def scene(case, setting, step, build):
    """The command for a GPU, and that of a sampler."""
    from tunesmith.contracts import Address, Artifact

    step.settings = SimpleNamespace(shutdown_grace=30.0, updatable=setting in ("max_lora_rank", "enable_sleep_mode"))
    step.placement = replace(step.placement, device="cuda")
    return build().engine(Artifact("model/hf", case.material("taught")), "under-test", Address(port=8765), step).command
