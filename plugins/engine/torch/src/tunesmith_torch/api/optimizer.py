"""Contract of kind ``optimizer``: turns gradients into steps.

Capabilities: ``device.<name>`` where not every device will do. Needs: ``gradients.whole`` of the strategy; ``trains.weights`` of the
adapter, where it makes sense only for the model's own matrices.
Estimator: ``f(EstimateRequest) -> {"state": bytes for each parameter that trains}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

Tensor = Any  #: torch.nn.Parameter, or whatever the strategy has in its place; the contracts import no torch
TorchOptimizer = Any  #: torch.optim.Optimizer


@dataclass(frozen=True)
class Trained:
    """A parameter that trains.

    Args:
        name: as the model has it.
        tensor: what is changed in place.
        rate: what the learning rate is multiplied with.
        decay: whether weight decay, where the optimizer has one, is meant for it: norms' weights and biases are left out.
        embedding: whether its rows belong to tokens (the embedding, the output head): methods for layers' matrices leave it to another.
    """

    name: str
    tensor: Tensor
    rate: float = 1.0
    decay: bool = True
    embedding: bool = False


class Optimizer(Protocol):
    """Makes an optimizer whose whole memory is tensors, so that checkpoints hold it and a resume is exact."""

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> TorchOptimizer:
        """A `torch.optim.Optimizer` over `parameters` on `device`.

        Each of its ``param_groups`` has ``rate``, the factor of its parameters; before every step the engine sets ``lr`` of each to the
        step's learning rate times that. Everything it keeps is a tensor of its own in ``state[parameter][key]``: a new one that is given
        the same entries goes on bit for bit. Steps are deterministic, and leave alone a parameter without a gradient.

        One whose weights in use are not those it trains (an average of them, say) has ``eval()`` and ``train()``; it begins in
        training, and its state and the weights in a checkpoint are those of training.

        Args:
            learning_rate: the highest of the run.
        """


@runtime_checkable
class OwnSchedule(Protocol):
    """Wants the learning rate to follow a schedule of its own choice where the user names none."""

    def schedule(self) -> str:
        """A name that the engine knows: ``constant``."""


def parameter_groups(parameters: Iterable[Trained], *, learning_rate: float, weight_decay: float = 0.0) -> list[dict[str, Any]]:
    """``param_groups`` for an optimizer: parameters of one rate and one decay together, in the order in which they come.

    Args:
        weight_decay: of those that are to be decayed.
    """
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for one in parameters:
        fresh = {
            "params": [], "lr": learning_rate * one.rate, "rate": one.rate, "weight_decay": weight_decay if one.decay else 0.0,
        }  # fmt: skip
        groups.setdefault((one.rate, one.decay), fresh)["params"].append(one.tensor)
    return list(groups.values())
