"""Replicas of the model by torch's `DistributedDataParallel`: gradients are summed in buckets while the backward pass still runs.

The engine divides every micro-batch's loss by the weight of the whole batch, over all ranks, so the *sum* of the ranks' gradients is the
gradient of the batch: with n processes the losses are those of one. Buckets: Li et al., arXiv:2006.15704.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from tunesmith.contracts import Mesh, ModelSource, Placement, UserError
from tunesmith.contracts.kinds.trainer_strategy import OptimizerOf, Output
from tunesmith_ddp.settings import ReplicaSettings
from tunesmith_torch.api.processes import ProcessGroup
from tunesmith_torch.api.training import TorchTraining, trained


class Replicas(ProcessGroup):
    """The strategy `ddp`."""

    def __init__(self, settings: ReplicaSettings) -> None:
        super().__init__()
        self.settings = settings
        self._replicas: list[DistributedDataParallel] = []

    def start(self, placement: Placement) -> Mesh:
        return self.joined(placement, backend=self.settings.backend, timeout=self.settings.timeout)

    def prepare(self, source: ModelSource, optimizer: OptimizerOf) -> TorchTraining:
        model = source.load(self.mesh.device)
        for _, parameter in trained(model):
            dist.broadcast(parameter.data, src=0)
        replica = DistributedDataParallel(
            model, bucket_cap_mb=self.settings.bucket_cap_mb, find_unused_parameters=self.settings.find_unused_parameters,
            forward_sync_buffers=False, init_sync=False, gradient_as_bucket_view=True,
        )  # fmt: skip
        replica.register_comm_hook(None, _summed)
        self._replicas.append(replica)
        return _Replica(model, optimizer(model), module=replica, writes=self.mesh.data_rank == 0)

    def finish(self) -> None:
        """Leave the other ranks. The replicas' reducers go first: one that outlives the group ends it in its own destructor, which waits
        for gloo's thread with Python locked, while that thread may wait for Python.
        """
        for replica in self._replicas:
            del replica.reducer, replica.logger
        self._replicas.clear()
        super().finish()


class _Replica(TorchTraining):
    def forward_backward(self, batches: Sequence[Any], loss: Callable[[Output, int], torch.Tensor]) -> None:
        """As of any module.

        Raises:
            UserError: TS-TRAIN-065 where a process did not use all that trains.
        """
        try:
            super().forward_backward(batches, loss)
        except RuntimeError as error:
            if "find_unused_parameters" not in str(error):
                raise
            raise UserError(
                "TS-TRAIN-065", "A process has rows that do not use all parameters that train",
                why="Processes agree on gradients when all of them are there. A vision tower has none for rows without pictures.",
                fix="Set `find_unused_parameters: true` for the strategy `ddp`.",
            ) from error  # fmt: skip

    @contextmanager
    def micro_batch(self, *, last: bool) -> Iterator[None]:
        assert isinstance(self.module, DistributedDataParallel)
        if last:
            yield
        else:
            with self.module.no_sync():
                yield


def _summed(_, bucket):  # type: ignore[no-untyped-def]  # torch reads the annotations, and not as strings
    """The ranks' sum of a bucket of gradients, where the default takes their mean."""
    work = dist.all_reduce(bucket.buffer(), async_op=True)
    return work.get_future().then(lambda done: done.value()[0])
