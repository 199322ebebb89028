"""ZeRO by DeepSpeed's engine: processes divide the optimizer's state, their gradients and the parameters among them.

The engine cuts batches, clips, sets rates and writes checkpoints as with any other strategy; DeepSpeed holds parameters, gradients and the
optimizer's state, and moves them. Rajbhandari et al., arXiv:1910.02054; offload: Ren et al., arXiv:2101.06840; Rajbhandari et al.,
arXiv:2104.07857.
"""

from __future__ import annotations

import json
from typing import Any

import torch
import torch.distributed as dist

from tunesmith.contracts import Mesh, ModelSource, Placement, UserError
from tunesmith.contracts.kinds.trainer_strategy import OptimizerOf
from tunesmith_deepspeed import library
from tunesmith_deepspeed.config import check, check_said, config_of
from tunesmith_deepspeed.partition import partitioned
from tunesmith_deepspeed.presets import decisions, effective
from tunesmith_deepspeed.settings import ZeroSettings
from tunesmith_deepspeed.training import ZeroTraining
from tunesmith_torch.api.processes import ProcessGroup
from tunesmith_torch.api.training import trained


class Zero(ProcessGroup):
    """The strategy `deepspeed`."""

    def __init__(self, settings: ZeroSettings) -> None:
        super().__init__()
        self.said = settings  # which value came from where
        self.settings: Any = effective(settings)
        self._deepspeed: Any = None

    def start(self, placement: Placement) -> Mesh:
        """Join the others.

        Raises:
            UserError: TS-TRAIN-063 for a backend that is not here; TS-TRAIN-064, -067 and -068 for settings that can't be together;
                TS-TRAIN-069 where no disk can be offloaded to.
        """
        check(self.settings, placement.processes)
        check_said(self.said, self.settings.stage)
        self.joined(placement, backend=self.settings.backend, timeout=self.settings.timeout)
        self._deepspeed = library.load(self.mesh.device)
        self._deepspeed.init_distributed(auto_mpi_discovery=False)
        if "nvme" in (self.settings.offload_optimizer, self.settings.offload_param) and not library.can_use_nvme():
            raise UserError(
                "TS-TRAIN-069", "DeepSpeed can't offload to a disk here: its operator `async_io` is not there and can't be compiled",
                fix="Install libaio's headers and a C++ compiler (Debian: apt install libaio-dev g++), or offload to `cpu`.",
            )  # fmt: skip
        return self.mesh

    def prepare(self, source: ModelSource, optimizer: OptimizerOf) -> ZeroTraining:
        """The model as DeepSpeed holds it.

        Raises:
            UserError: TS-TRAIN-066 for a quantized model in stage 3; TS-TRAIN-072 for an optimizer that uses other weights than it trains.
        """
        first, device = self.mesh.data_rank == 0, self.mesh.device
        if self.settings.stage < 3:
            model = source.load(device, separate=True)
            made = optimizer(model)
            config = self._config(model)
        else:
            # What trains is counted again below, when shapes are known; the buckets play no part in dividing parameters.
            init = self._deepspeed.zero.Init(module=torch.nn.Module(), config_dict_or_path=self._config(torch.nn.Module()))
            model, made = partitioned(source, optimizer, init, device, first=first)
            config = self._config(model)
        if hasattr(made, "eval"):
            raise UserError(
                "TS-TRAIN-072", f"`{type(made).__name__}` uses other weights than it trains; by `deepspeed` the model has only the latter",
                fix="Use another optimizer (`adamw`), or the strategy `single`, `ddp` or `fsdp`.",
            )  # fmt: skip
        engine, *_ = self._deepspeed.initialize(model=model, optimizer=made, config=config, dist_init_required=False)
        gathered = self._deepspeed.zero.GatheredParameters if self.settings.stage == 3 else None
        return ZeroTraining(engine, made, gathered, self._decisions(config))

    def finish(self) -> None:
        if dist.is_initialized():  # DeepSpeed remembers groups of its own beside torch's
            (self._deepspeed.comm if self._deepspeed else dist).destroy_process_group()

    def _config(self, model: torch.nn.Module) -> dict[str, Any]:
        count = sum(getattr(parameter, "ds_numel", parameter.numel()) for _, parameter in trained(model))
        return config_of(self.settings, trained=count, on_device=self.mesh.device.type != "cpu")

    def _decisions(self, config: dict[str, Any]) -> list[tuple[str, str]]:
        said = [
            *decisions(self.said),
            (
                f"DeepSpeed's JSON: {json.dumps(config, sort_keys=True)}",
                "from the strategy's settings; micro-batches, clipping, dtype and the rate are the step's, and change from step to step",
            ),
        ]
        if self.settings.stage == 1:
            said.append(
                ("each process keeps its gradients whole until the step", "ZeRO-1 reduces them once, after a step's last micro-batch")
            )
        elif self.settings.stage == 2:
            said.append(
                ("gradients are reduced after every micro-batch", "ZeRO-2 keeps those that this process steps with, and adds them up")
            )
        return said
