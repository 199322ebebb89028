"""By what processes may talk. Standard library and contracts only: the plan asks, too."""

from __future__ import annotations

from tunesmith.contracts import UserError
from tunesmith.errors import did_you_mean

AUTO, ON_NVIDIA = "auto", "nccl"
#: `torch.distributed.Backend.backend_list` of PyTorch 2.11, and Ascend's
KNOWN = ("gloo", "nccl", "xccl", "ucc", "mpi", "hccl")


def backends_of(text: str) -> list[str]:
    """The names in a setting; torch takes ``cpu:gloo,cuda:nccl``, too."""
    return [part.rpartition(":")[2].strip().lower() for part in text.split(",")]


def check_backend(text: str, device: str) -> None:
    """
    Args:
        device: backend that the processes compute on.

    Raises:
        UserError: TS-TRAIN-063 for a backend that PyTorch has not, or that is for other devices.
    """
    if text == AUTO:
        return
    fix = "Leave `backend` out: auto takes nccl on NVIDIA devices, gloo elsewhere."
    for name in backends_of(text):
        if name not in KNOWN:
            raise UserError("TS-TRAIN-063", f"`backend: {text}`: PyTorch has none of that name", fix=f"{did_you_mean(name, KNOWN)} {fix}")
    if backends_of(text) == [ON_NVIDIA] and device != "cuda":
        raise UserError("TS-TRAIN-063", f"`backend: {text}` is for NVIDIA devices, and the step computes on `{device}`", fix=fix)
