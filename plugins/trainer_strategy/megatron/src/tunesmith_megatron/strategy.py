"""Training by megatron-core: tensor, pipeline, sequence, context and expert parallelism.

The model is Megatron's own, made from the sizes in ``config.json``; each rank reads its pieces from the safetensors. Gradients are summed
over ranks with other rows: the engine divides each micro-batch's loss by the weight of the whole batch. Tensor and pipeline parallelism:
Narayanan et al., arXiv:2104.04473; sequence parallelism: Korthikanti et al., arXiv:2205.05198.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig
from megatron.core.tensor_parallel import model_parallel_cuda_manual_seed

from tunesmith.contracts import Mesh, ModelSource, Placement, UserError
from tunesmith.contracts.kinds.trainer_strategy import OptimizerOf
from tunesmith_megatron.architecture import Architecture, architecture_of
from tunesmith_megatron.causal_lm import CausalLM
from tunesmith_megatron.checkpoint_files import CheckpointFiles
from tunesmith_megatron.division import check_model, check_processes
from tunesmith_megatron.parameters import Parameters
from tunesmith_megatron.settings import MegatronSettings
from tunesmith_megatron.trainable import MegatronModel
from tunesmith_megatron.training import MegatronTraining
from tunesmith_torch.api.processes import ProcessGroup, join

DECISIONS = (
    ("Megatron's model", "the strategy computes with its own, made from the model's sizes; weights are moved, not changed"),
    ("sequences packed without padding, none sharing its beginning", "attention runs for each by itself"),
)
_SEED = 1  # of Megatron's generators, which nothing here draws from: there is no dropout


class Megatron(ProcessGroup):
    """The strategy `megatron`."""

    def __init__(self, settings: MegatronSettings) -> None:
        super().__init__()
        self.settings = settings

    def start(self, placement: Placement) -> Mesh:
        """Join the others.

        Raises:
            UserError: TS-TRAIN-063 for a backend that is not here; TS-TRAIN-082 when the processes can't be divided; TS-TRAIN-084 where
                there is no NVIDIA device.
        """
        check_processes(asdict(self.settings), placement.processes)
        try:
            torch.cuda.current_device()
        except (RuntimeError, AssertionError) as error:
            raise UserError(
                "TS-TRAIN-084", "megatron-core computes on NVIDIA devices, and there is none here", why=str(error),
                fix="Use the strategy `fsdp` or `deepspeed`, which compute on any device.",
            ) from None  # fmt: skip
        device = join(placement, backend=self.settings.backend, timeout=self.settings.timeout)
        parallel_state.initialize_model_parallel(
            tensor_model_parallel_size=self.settings.tensor_model_parallel_size,
            pipeline_model_parallel_size=self.settings.pipeline_model_parallel_size,
            context_parallel_size=self.settings.context_parallel_size,
            expert_model_parallel_size=self.settings.expert_model_parallel_size,
            expert_tensor_parallel_size=self.settings.expert_tensor_parallel_size, create_gloo_process_groups=False,
            distributed_timeout_minutes=max(1, round(self.settings.timeout / 60)),
        )  # fmt: skip
        model_parallel_cuda_manual_seed(_SEED)
        self.mesh = Mesh(device, parallel_state.get_data_parallel_rank(), parallel_state.get_data_parallel_world_size())
        return self.mesh

    def prepare(self, source: ModelSource, optimizer: OptimizerOf) -> MegatronTraining:
        """This rank's part of the model.

        Raises:
            UserError: TS-TRAIN-072 for an optimizer that uses other weights than it trains; TS-TRAIN-080 for a model that is not converted,
                TS-TRAIN-081 when it can't be divided; TS-TRAIN-083 for files that lack a tensor; TS-TRAIN-085 for an adapter that leaves
                weights as they are, TS-TRAIN-091 for a reference of its own.
        """
        shape = architecture_of(json.loads((source.path / "config.json").read_text(encoding="utf-8")))
        check_model(asdict(self.settings), shape)
        shell: Any = source.empty()
        _check_adapter(shell.model)
        _check_others(shell.given)
        model = self._empty(shape, shell)
        parameters = Parameters(model, shape, self.mesh.device)
        parameters.read(CheckpointFiles(source.path))
        reference = self._empty(shape, shell).requires_grad_(False) if "reference" in shell.others else None
        if reference is not None:
            reference.load_state_dict(model.state_dict())
        chunk = self._wrapped(model)
        trainable = MegatronModel(shell, chunk, parameters, reference)
        made = optimizer(trainable)
        if hasattr(made, "eval"):
            raise UserError(
                "TS-TRAIN-072", f"`{type(made).__name__}` uses other weights than it trains; by `megatron` the model has only the latter",
                fix="Use another optimizer (`adamw`), or the strategy `single`, `ddp` or `fsdp`.",
            )  # fmt: skip
        return MegatronTraining(trainable, parameters, made, DECISIONS)

    def _empty(self, shape: Architecture, shell: Any) -> CausalLM:
        recompute = bool(shell.model.is_gradient_checkpointing)
        return CausalLM(shape, self.settings, shell.compute, _frequencies(shell.model), recompute=recompute).to(self.mesh.device)

    def _wrapped(self, model: CausalLM) -> DistributedDataParallel:
        options = DistributedDataParallelConfig(
            grad_reduce_in_fp32=True, overlap_grad_reduce=self.settings.overlap_grad_reduce, use_distributed_optimizer=False
        )
        chunk = DistributedDataParallel(model.config, options, model)
        chunk.train()
        return chunk

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        """Over the shares, each told of by the first rank of its last stage."""
        first = parallel_state.get_tensor_model_parallel_rank() == parallel_state.get_context_parallel_rank() == 0
        counts = first and parallel_state.is_pipeline_last_stage()
        return super().sum(value if counts else torch.zeros_like(value))

    def finish(self) -> None:
        if dist.is_initialized():
            parallel_state.destroy_model_parallel()
        super().finish()


def _check_others(given: Sequence[str]) -> None:
    """Raises:
    UserError: TS-TRAIN-091 for a model beside the one that trains.
    """
    if given:
        raise UserError(
            "TS-TRAIN-091", f"The strategy `megatron` has no room for another model: `{given[0]}`",
            why="Its reference is the model before training.", fix=f"Leave `{given[0]}:` out, or use the strategy `fsdp` or `deepspeed`.",
        )  # fmt: skip


def _check_adapter(model: Any) -> None:
    """Raises:
    UserError: TS-TRAIN-085 when not all of the model's own weights train, and nothing else.
    """
    frozen = next((name for name, parameter in model.named_parameters() if not parameter.requires_grad), "")
    if frozen:
        raise UserError(
            "TS-TRAIN-085", "The strategy `megatron` trains all weights of a model", why=f"The adapter leaves `{frozen}` as it is.",
            fix="Use the adapter `full`, or the strategy `fsdp` or `deepspeed`.",
        )  # fmt: skip


def _frequencies(model: Any) -> torch.Tensor:
    """Of the rotary embedding, as transformers computes them for this model."""
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    rotary, config = model.base_model.rotary_emb, model.config
    init = rotary.compute_default_rope_parameters if rotary.rope_type == "default" else ROPE_INIT_FUNCTIONS[rotary.rope_type]
    found, _ = init(config, device=torch.device("cpu"))
    return found.float()
