"""The model in pieces, by torch's `fully_shard` (FSDP2): each rank holds a piece of each parameter, and a layer is whole while it computes.

The first rank reads the weights into the host's memory; the others make the modules without values and are sent their pieces. Gradients are
summed, not averaged: the engine divides each micro-batch's loss by the weight of the whole batch. ZeRO: Rajbhandari et al.,
arXiv:1910.02054; FSDP: Zhao et al., arXiv:2304.11277.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import CPUOffloadPolicy, MixedPrecisionPolicy, OffloadPolicy, fully_shard

from tunesmith.contracts import Mesh, ModelSource, Placement, UserError
from tunesmith.contracts.kinds.trainer_strategy import OptimizerOf
from tunesmith_fsdp.distribute import distribute
from tunesmith_fsdp.estimate import check_groups
from tunesmith_fsdp.settings import ShardingSettings
from tunesmith_fsdp.training import ShardedTraining
from tunesmith_torch.api.processes import ProcessGroup


class FullyShardedDataParallel(ProcessGroup):
    """The strategy `fsdp`."""

    def __init__(self, settings: ShardingSettings) -> None:
        super().__init__()
        self.settings = settings

    def start(self, placement: Placement) -> Mesh:
        """Join the others.

        Raises:
            UserError: TS-TRAIN-063 for a backend that is not here; TS-TRAIN-064 when `shard_size` does not divide the processes.
        """
        check_groups(placement.processes, self.settings.shard_size)
        return self.joined(placement, backend=self.settings.backend, timeout=self.settings.timeout)

    def prepare(self, source: ModelSource, optimizer: OptimizerOf) -> ShardedTraining:
        """Each rank's pieces of the model.

        Raises:
            UserError: TS-TRAIN-066 for a quantized model.
        """
        first = self.mesh.data_rank == 0
        model = source.load("cpu", separate=True) if first else source.empty()
        if packed := next((name for name, parameter in model.named_parameters() if not parameter.is_floating_point()), ""):
            raise UserError(
                "TS-TRAIN-066", f"`{packed}` is kept in fewer bits, and `fsdp` divides matrices of floating-point numbers",
                fix="Train on the model before it was quantized, or use the strategy `single` or `ddp`.",
            )  # fmt: skip
        values = {name: tensor.detach() for name, tensor in [*model.named_parameters(), *model.named_buffers()]} if first else {}
        options = {"mesh": self._device_mesh(), "mp_policy": self._precision(), "offload_policy": self._offload()}
        parts = [fully_shard(layer, reshard_after_forward=self.settings.reshard_after_forward, **options) for layer in source.layers(model)]
        for part in [*parts, fully_shard(model, reshard_after_forward=False, **options)]:
            part.set_gradient_divide_factor(1.0)  # the ranks' sum, not their mean
            part.set_force_sum_reduction_for_comms(True)  # gloo knows no other
        distribute(model, values, torch.device("cpu") if self.settings.cpu_offload else self.mesh.device)
        return ShardedTraining(model, optimizer(model), first=first)

    def _device_mesh(self) -> DeviceMesh:
        size, together = self.mesh.data_size, self.settings.shard_size or self.mesh.data_size
        shape, names = ((size,), ("shard",)) if together == size else ((size // together, together), ("replicate", "shard"))
        return init_device_mesh(self.mesh.device.type, shape, mesh_dim_names=names)

    def _precision(self) -> MixedPrecisionPolicy:
        return MixedPrecisionPolicy(param_dtype=_dtype(self.settings.param_dtype), reduce_dtype=_dtype(self.settings.reduce_dtype))

    def _offload(self) -> OffloadPolicy:
        return CPUOffloadPolicy(pin_memory=self.mesh.device.type == "cuda") if self.settings.cpu_offload else OffloadPolicy()


def _dtype(name: str) -> Any:
    return None if name == "auto" else getattr(torch, name)
