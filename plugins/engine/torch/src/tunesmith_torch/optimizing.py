"""From gradients to new parameters: the optimizer, what it is told of each parameter, and its rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from tunesmith.contracts import Adapter, Optimizer, OwnRates, OwnSchedule, Step, Trained
from tunesmith_torch.policy import Policy
from tunesmith_torch.settings import TrainSettings

USUAL = "cosine"  #: the schedule, where neither the user nor the optimizer names one


def builder(
    optimizer: Optimizer, policy: Policy, adapter: Adapter, learning_rate: float, device: torch.device
) -> Callable[[Iterable[tuple[str, Any]]], torch.optim.Optimizer]:
    """What strategies make the optimizer with, over the (name, tensor) that they give it."""
    rates, embeddings = own_rates(adapter, policy), _embeddings(policy)

    def build(named: Iterable[tuple[str, Any]]) -> torch.optim.Optimizer:
        # Norms' weights and biases are not decayed, as everywhere.
        parameters = [
            Trained(name, tensor, rate=rates.get(name, 1.0), decay=tensor.ndim > 1, embedding=name in embeddings) for name, tensor in named
        ]
        return optimizer.build(parameters, learning_rate=learning_rate, device=device)

    return build


def own_rates(adapter: Adapter, policy: Policy) -> Mapping[str, float]:
    """What an adapter multiplies the learning rate of some parameters with, by the policy's name of them."""
    if not isinstance(adapter, OwnRates):
        return {}
    names = {parameter: name for name, parameter in policy.named_parameters()}
    parameters = dict(policy.model.named_parameters())
    return {names[parameters[name]]: factor for name, factor in adapter.rates(policy.model).items()}


def _embeddings(policy: Policy) -> set[str]:
    """Names of the parameters whose rows belong to tokens."""
    tables = {module.weight for module in policy.modules() if isinstance(module, torch.nn.Embedding)}
    head = policy.model.get_output_embeddings()
    if head is not None:
        tables.add(head.weight)
    return {name for name, parameter in policy.named_parameters() if parameter in tables}


def chosen_schedule(step: Step, settings: TrainSettings, optimizer: Optimizer) -> str:
    """The schedule of the learning rate: the user's, the optimizer's, or the usual one."""
    if settings.schedule != "auto":
        return settings.schedule
    if isinstance(optimizer, OwnSchedule):
        step.decide(f"schedule {optimizer.schedule()}", "the optimizer asks for it")
        return optimizer.schedule()
    return USUAL


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for parameters in optimizer.param_groups:
        parameters["lr"] = rate * parameters.get("rate", 1.0)


@contextmanager
def in_use(optimizer: Any) -> Iterator[None]:
    """Within it, the weights are those that are used (an optimizer's average, say); after it, bit for bit those that train."""
    if not hasattr(optimizer, "eval"):
        yield
        return
    training = [(one, one.detach().clone()) for group in optimizer.param_groups for one in group["params"]]
    optimizer.eval()
    try:
        yield
    finally:
        optimizer.train()
        for one, values in training:
            one.data.copy_(values)


def put_in_use(optimizer: Any) -> None:
    """The same for good, when training is over."""
    if hasattr(optimizer, "eval"):
        optimizer.eval()
