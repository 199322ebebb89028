"""By what processes may talk. Standard library and contracts only: the plan asks, too."""

from __future__ import annotations

from tunesmith.contracts import UserError
from tunesmith.errors import did_you_mean, listed

AUTO = "auto"
#: backend of processes -> the device backends that it is for alone
ONLY_ON = {"nccl": ("cuda", "rocm"), "xccl": ("xpu",), "hccl": ("npu",)}
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
    fix = "Leave `backend` out: auto takes what PyTorch has for the device (nccl, xccl, hccl), gloo elsewhere."
    for name in backends_of(text):
        if name not in KNOWN:
            raise UserError("TS-TRAIN-063", f"`backend: {text}`: PyTorch has none of that name", fix=f"{did_you_mean(name, KNOWN)} {fix}")
    for name, devices in ONLY_ON.items():
        if backends_of(text) == [name] and device not in devices:
            raise UserError("TS-TRAIN-063", f"`backend: {text}` is for {listed(devices)}, and the step computes on `{device}`", fix=fix)
