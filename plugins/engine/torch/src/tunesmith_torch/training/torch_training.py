"""A torch module in training, for strategies to build on: micro-batches one after the other, state by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts.kinds.trainer_strategy import Output
from tunesmith_torch.training.checkpoint.state_dict import load_state, save_state, trained


class TorchTraining:
    """What `single` needs, and what strategies of several processes change in places.

    Args:
        model: with what trains marked.
        optimizer: over the parameters of `model` that train.
        module: what is called in training, where it is not `model` itself.
        writes: whether this rank writes state that all have.
    """

    def __init__(
        self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, *, module: torch.nn.Module | None = None, writes: bool = True
    ) -> None:
        self.model, self.optimizer, self.module, self.writes = model, optimizer, module or model, writes

    @torch.no_grad()
    def forward(self, batches: Sequence[Any]) -> list[Output]:
        training = self.model.training
        self.model.eval()
        try:
            return [self.model(batch) for batch in batches]
        finally:
            self.model.train(training)

    def forward_backward(self, batches: Sequence[Any], loss: Callable[[Output, int], torch.Tensor]) -> None:
        for number, batch in enumerate(batches):
            with self.micro_batch(last=number == len(batches) - 1):
                loss(self.module(batch), number).backward()

    def micro_batch(self, *, last: bool) -> AbstractContextManager[None]:
        """Around the forward and backward pass of one; gradients need to agree between ranks only after the `last`."""
        return nullcontext()

    def clip(self, limit: float, scale: float = 1.0) -> float:
        return float(self.unscaled_norm(limit, scale))

    def unscaled_norm(self, limit: float, scale: float) -> torch.Tensor:
        """What `clip` gives, as torch gives it."""
        parameters = [parameter for _, parameter in trained(self.model)]
        for parameter in parameters:
            if scale != 1.0 and parameter.grad is not None:
                parameter.grad.div_(scale)
        return torch.nn.utils.clip_grad_norm_(parameters, limit if limit > 0 else float("inf"))

    def step(self) -> None:
        self.optimizer.step()

    def zero_grad(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)

    def whole(self) -> AbstractContextManager[torch.nn.Module]:
        return nullcontext(self.model)

    def save_state(self, directory: Path, *, optimizer: bool = True) -> None:
        save_state(self.model, self.optimizer if optimizer else None, directory, writes=self.writes)

    def load_state(self, directory: Path) -> None:
        load_state(self.model, self.optimizer, directory)


@contextmanager
def whole_parameters(
    model: torch.nn.Module, gather: Callable[[torch.nn.Parameter], torch.Tensor], *, first: bool
) -> Iterator[torch.nn.Module]:  # fmt: skip
    """Within it, `model` has whole parameters in the host's memory on the first rank, gathered one after the other, each once.

    Args:
        gather: a parameter in pieces -> its values, on any device; every rank calls it.
        first: whether this is the rank that keeps them.
    """
    kept: list[tuple[torch.nn.Module, str, torch.nn.Parameter]] = []
    seen: dict[torch.nn.Parameter, torch.nn.Parameter] = {}
    for module in model.modules():
        for name in list(module._parameters):
            parameter = dict.__getitem__(module._parameters, name)  # a library's own mapping may gather what is read from it
            if parameter is None:
                continue
            if parameter not in seen:
                values = gather(parameter)
                seen[parameter] = torch.nn.Parameter(values.cpu(), parameter.requires_grad) if first else parameter
            kept.append((module, name, parameter))
    try:
        for module, name, parameter in kept:
            module._parameters[name] = seen[parameter]
        yield model
    finally:
        for module, name, parameter in kept:
            module._parameters[name] = parameter
