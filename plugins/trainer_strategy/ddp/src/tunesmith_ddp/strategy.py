"""Replicas of the model whose gradients are summed after the last micro-batch of each step.

The engine divides every micro-batch's loss by the weight of the whole batch, over all ranks, so the sum of the ranks' gradients is the
gradient of the batch: with n processes the losses are those of one. Gradients are summed in flat buckets with all-reduce (Li et al.,
arXiv:2006.15704) once per step, not per micro-batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from tunesmith.contracts import Placement, UserError
from tunesmith_ddp.settings import ReplicaSettings
from tunesmith_torch.api.parameters import load_named_state, named_state, trained


class Replicas:
    """The strategy `ddp`."""

    def __init__(self, settings: ReplicaSettings) -> None:
        self.settings = settings

    def start(self, placement: Placement) -> torch.device:
        device = torch.device(placement.torch)
        if device.type == "cuda":
            device = torch.device("cuda", placement.rank % torch.cuda.device_count())
            torch.cuda.set_device(device)
        elif device.type == "cpu" and "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(max(1, torch.get_num_threads() // placement.processes))
        backend = self.settings.backend
        if backend == "auto":
            backend = "nccl" if device.type == "cuda" else "gloo"
        named = [part.rpartition(":")[2] for part in backend.split(",")]  # torch takes `cpu:gloo,cuda:nccl`, too
        if not all(map(dist.is_backend_available, named)) or (backend == "nccl" and device.type != "cuda"):
            raise UserError(
                "TS-TRAIN-063", f"Processes can't talk by `{backend}` here: it is not in this PyTorch, or not for {device.type} devices",
                fix="Leave `backend` out: auto takes nccl on NVIDIA devices, gloo elsewhere.",
            )  # fmt: skip
        dist.init_process_group(
            backend, init_method=f"file://{placement.rendezvous}", rank=placement.rank, world_size=placement.processes,
            timeout=timedelta(seconds=self.settings.timeout),
        )  # fmt: skip
        return device

    def wrap(
        self, model: torch.nn.Module, optimizer: Callable[[Iterable[tuple[str, Any]]], torch.optim.Optimizer]
    ) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        for _, parameter in trained(model):
            dist.broadcast(parameter.data, src=0)
        return model, optimizer(list(trained(model)))

    @contextmanager
    def accumulating(self, model: torch.nn.Module, last: bool) -> Iterator[None]:
        yield
        if last:
            self._sum_gradients(model)

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    def clip(self, model: torch.nn.Module, limit: float) -> float:
        parameters = [parameter for _, parameter in trained(model)]
        return float(torch.nn.utils.clip_grad_norm_(parameters, limit if limit > 0 else float("inf")))

    def state(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Any]]:
        return named_state(model, optimizer)

    def load_state(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, dict[str, Any]]) -> None:
        load_named_state(model, optimizer, state)

    def barrier(self) -> None:
        dist.barrier()

    def finish(self) -> None:
        if dist.is_initialized():
            dist.destroy_process_group()

    def _sum_gradients(self, model: torch.nn.Module) -> None:
        for bucket in self._buckets(model):
            flat = torch.cat([gradient.flatten() for gradient in bucket])
            dist.all_reduce(flat)
            for gradient, summed in zip(bucket, flat.split([g.numel() for g in bucket]), strict=True):
                gradient.copy_(summed.view_as(gradient))

    def _buckets(self, model: torch.nn.Module) -> Iterator[list[torch.Tensor]]:
        limit, bucket, size = self.settings.bucket_cap_mb * 2**20, [], 0
        for _, parameter in trained(model):
            if parameter.grad is None:  # of a parameter that this rank's share did not touch
                parameter.grad = torch.zeros_like(parameter)
            bucket.append(parameter.grad)
            size += parameter.grad.numel() * parameter.grad.element_size()
            if size >= limit:
                yield bucket
                bucket, size = [], 0
        if bucket:
            yield bucket
