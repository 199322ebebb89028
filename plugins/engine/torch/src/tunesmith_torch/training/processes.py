"""The processes of a step that talk by `torch.distributed`."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from tunesmith.contracts import Mesh, Placement, UserError
from tunesmith_torch.training.process_backends import backends_of

_FILE = "file://"


def join(placement: Placement, *, backend: str = "auto", timeout: float) -> torch.device:
    """Meet the other ranks at the placement's rendezvous; the device that this one computes on.

    Args:
        backend: as `torch.distributed` names it; auto: what PyTorch has for the device (nccl, xccl, hccl), gloo elsewhere.
        timeout: seconds after which one that waits for another gives up.

    Raises:
        UserError: TS-TRAIN-063 for a backend that is not here, or not for this device.
    """
    device = torch.device(placement.torch)
    if device.type not in ("cpu", "mps"):  # of these there is one
        module = torch.get_device_module(device)
        device = torch.device(device.type, placement.rank % module.device_count())
        module.set_device(device)
    elif device.type == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, torch.get_num_threads() // placement.processes))
    own = dist.Backend.default_device_backend_map.get(device.type, "gloo")  # nccl, xccl, hccl (torch_npu registers it)
    chosen = backend if backend != "auto" else own if dist.is_backend_available(own) else "gloo"
    if not all(map(dist.is_backend_available, backends_of(chosen))) or (chosen == "nccl" and device.type != "cuda"):
        raise UserError(
            "TS-TRAIN-063", f"Processes can't talk by `{chosen}` here: it is not in this PyTorch, or not for {device.type} devices",
            fix="Leave `backend` out: auto takes what PyTorch has for the device (nccl, xccl, hccl), gloo elsewhere.",
        )  # fmt: skip
    dist.init_process_group(
        chosen, rank=placement.rank, world_size=placement.processes, timeout=timedelta(seconds=timeout), **_meeting(placement)
    )  # fmt: skip
    return device


def _meeting(placement: Placement) -> dict[str, Any]:
    """Where the ranks meet. One process has nobody to meet; it needs a group all the same, to offload to the host by, say."""
    if not placement.rendezvous:
        return {"store": dist.HashStore()}
    if placement.rendezvous.startswith(_FILE):  # torch would take what follows a `#` or `?` for no part of the path, and wait for ever
        return {"store": dist.FileStore(placement.rendezvous.removeprefix(_FILE), placement.processes)}
    return {"init_method": placement.rendezvous}


class ProcessGroup:
    """What strategies have in common whose processes each compute a share of a batch."""

    def __init__(self) -> None:
        self.mesh = Mesh(torch.device("cpu"))

    def joined(self, placement: Placement, *, backend: str, timeout: float) -> Mesh:
        """Meet the other ranks, as `join` does; each has a share of its own."""
        self.mesh = Mesh(join(placement, backend=backend, timeout=timeout), placement.rank, placement.processes)
        return self.mesh

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    def any(self, said: bool) -> bool:
        heard = torch.tensor(said, dtype=torch.int32, device=self.mesh.device)
        dist.all_reduce(heard, op=dist.ReduceOp.MAX)
        return bool(heard)

    def barrier(self) -> None:
        dist.barrier()

    def finish(self) -> None:
        if dist.is_initialized():
            dist.destroy_process_group()
