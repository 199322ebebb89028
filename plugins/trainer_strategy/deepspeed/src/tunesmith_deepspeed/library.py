"""DeepSpeed itself, told which device it is on, and kept from compiling."""

from __future__ import annotations

import logging
import os
from typing import Any

import torch


def load(device: torch.device) -> Any:
    """The module `deepspeed`, for `device`."""
    os.environ["DS_ACCELERATOR"] = device.type
    os.environ["LOCAL_RANK"] = str(device.index or 0)
    import deepspeed

    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    # Processes on a CPU talk by gloo alone: otherwise DeepSpeed compiles an operator for their shared memory, and a process that is ended
    # while it does leaves a lock on which all later ones wait for ever.
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    return deepspeed


def can_use_nvme() -> bool:
    """Whether the operator that reads and writes disks is there, or can be compiled."""
    from deepspeed.ops.op_builder import AsyncIOBuilder

    return bool(AsyncIOBuilder().is_compatible(verbose=False))
