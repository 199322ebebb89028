"""A model in training by Megatron's schedules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.distributed import finalize_model_grads
from megatron.core.pipeline_parallel import get_forward_backward_func

from tunesmith_megatron.layout import names_in, view_of
from tunesmith_megatron.parameters import Parameters
from tunesmith_megatron.state import State
from tunesmith_megatron.trainable import MegatronModel
from tunesmith_torch.api.training import whole_parameters

Output = Mapping[str, torch.Tensor]
Loss = Callable[[Output, int], torch.Tensor]
LOG_PROBS = "log_probs"  #: the one output that it gives


class MegatronTraining:
    """Args:
    optimizer: over what trains of `model`.
    """

    def __init__(
        self, model: MegatronModel, parameters: Parameters, optimizer: torch.optim.Optimizer, decisions: Sequence[tuple[str, str]]
    ) -> None:
        self.model, self.parameters, self.optimizer, self.decisions = model, parameters, optimizer, decisions
        self._state = State(parameters, optimizer, parameters.device)
        config: Any = model.chunk.config
        config.finalize_model_grads_func = _finalize
        config.no_sync_func = model.chunk.no_sync
        self._schedule = get_forward_backward_func()
        self._last = parallel_state.is_pipeline_last_stage()
        model.chunk.zero_grad_buffer()  # type: ignore[operator]

    @torch.no_grad()
    def forward(self, batches: Sequence[Any]) -> list[Output]:
        """The last stage's outputs are sent to all of them."""
        chunk = self.model.chunk
        training = chunk.training
        chunk.eval()
        try:
            outputs = self._run(chunk, batches, lambda output, _: (output.new_zeros(()), output), forward_only=True)
        finally:
            chunk.train(training)
        if parallel_state.get_pipeline_model_parallel_world_size() == 1:
            return [{LOG_PROBS: output} for output in outputs]
        source, group = parallel_state.get_pipeline_model_parallel_last_rank(), parallel_state.get_pipeline_model_parallel_group()
        sent = [torch.empty(sum(batch.lengths), device=self.parameters.device) for batch in batches] if not self._last else outputs
        for output in sent:
            dist.broadcast(output, source, group=group)
        return [{LOG_PROBS: output} for output in sent]

    def forward_backward(self, batches: Sequence[Any], loss: Loss) -> None:
        self._run(self.model.chunk, batches, lambda output, number: (loss({LOG_PROBS: output}, number), None), forward_only=False)
        self.parameters.gradients()

    def _run(self, chunk: Any, batches: Sequence[Any], of_output: Callable[[torch.Tensor, int], Any], *, forward_only: bool) -> list[Any]:
        """What `of_output` notes of each micro-batch, on the last stage."""

        def evaluated(number: int, output: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, Any]:
            value, noted = of_output(output, number)
            return value, torch.ones((), dtype=torch.int, device=output.device), noted

        def step(numbers: Iterator[int], model: Any) -> tuple[torch.Tensor, Any]:
            number = next(numbers)
            return model(batches[number]), partial(evaluated, number)

        return list(
            self._schedule(
                forward_step_func=step, data_iterator=iter(range(len(batches))), model=chunk, num_microbatches=len(batches),
                seq_length=1, micro_batch_size=1, forward_only=forward_only,  # stages tell one another how long a row is
            )
        )  # fmt: skip

    def clip(self, limit: float, scale: float = 1.0) -> float:
        norm = self.parameters.norm() / scale
        factor = (min(1.0, limit / (norm + 1e-6)) if limit > 0 else 1.0) / scale
        for one in self.parameters if factor != 1.0 else ():
            assert one.trains.grad is not None
            one.trains.grad.mul_(factor)
        return norm

    def step(self) -> None:
        self.optimizer.step()
        self.parameters.put_in_use()

    def zero_grad(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.model.chunk.zero_grad_buffer()  # type: ignore[operator]

    @contextmanager
    def whole(self) -> Iterator[Any]:
        """The model of transformers' that the source gave, with values on the first rank."""
        first, shell = dist.get_rank() == 0, self.model.shell
        names = {parameter: name for name, parameter in shell.model.named_parameters()}

        def gather(parameter: torch.nn.Parameter) -> torch.Tensor:
            name = names[parameter]
            values = {name: torch.empty(parameter.shape, dtype=torch.float32, device="cpu" if first else "meta")}
            for part in names_in(name, parameter.shape):
                view = view_of(values, part)
                found = self.parameters.gathered(part, view)
                if found is not None:
                    view.copy_(found)
            return values[name] if first else parameter

        with whole_parameters(shell.model, gather, first=first):
            yield shell

    def save_state(self, directory: Path, *, optimizer: bool = True) -> None:
        self._state.save(directory, optimizer=optimizer)

    def load_state(self, directory: Path) -> None:
        self._state.load(directory)


def _finalize(model: list[Any], num_tokens: Any = None, **groups: Any) -> None:
    """Megatron's own, without its division: the loss has been divided."""
    finalize_model_grads(model, None, **groups)
