"""The optimizer: what it is told of each parameter, and the weights that are used where they differ from those that train."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from tunesmith.contracts import Adapter, OwnRates
from tunesmith_torch.api import Optimizer, Trained
from tunesmith_torch.training.checkpoint.state_dict import trained
from tunesmith_torch.training.trainable_model import TrainableModel


def builder(
    optimizer: Optimizer, adapter: Adapter, learning_rate: float, device: torch.device
) -> Callable[[TrainableModel], torch.optim.Optimizer]:
    """What strategies make the optimizer with, over the model as they hold it."""

    def build(trainable: TrainableModel) -> torch.optim.Optimizer:
        rates, embeddings = own_rates(adapter, trainable), _embeddings(trainable)
        # Norms' weights and biases are not decayed, as everywhere.
        parameters = [
            Trained(name, tensor, rate=rates.get(name, 1.0), decay=tensor.ndim > 1, embedding=name in embeddings)
            for name, tensor in trained(trainable)
        ]
        return optimizer.build(parameters, learning_rate=learning_rate, device=device)

    return build


def own_rates(adapter: Adapter, trainable: TrainableModel) -> Mapping[str, float]:
    """What an adapter multiplies the learning rate of some parameters with, by the trainable's name of them."""
    if not isinstance(adapter, OwnRates):
        return {}
    names = {parameter: name for name, parameter in trainable.named_parameters()}
    parameters = dict(trainable.model.named_parameters())
    return {names[parameters[name]]: factor for name, factor in adapter.rates(trainable.model).items()}


def _embeddings(trainable: TrainableModel) -> set[str]:
    """Names of the parameters whose rows belong to tokens."""
    tables = {module.weight for module in trainable.modules() if isinstance(module, torch.nn.Embedding)}
    head = trainable.model.get_output_embeddings()
    if head is not None:
        tables.add(head.weight)
    return {name for name, parameter in trainable.named_parameters() if parameter in tables}


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
