"""Contract of kind ``trainer_strategy``: owns processes, memory and schedule of training.

Facts: ``ranks``, the name of the setting that says how many workers the step gets, one rank each (without it: one); the kernel starts them
and ends all when one dies. ``usual_ranks``, where that setting may be left out: how many there are then, by the value of another setting,
``{"preset": {"": 2, "node": 8}}``; "" stands for one that is left out, too. No other kind's settings make ranks. Capabilities:
``parallel.replicas``, ``parallel.shards``, ``gradients.whole`` (what the optimizer is given are whole matrices with whole gradients, not
pieces of them), ``weights.swapped`` (an optimizer may put other weights in the place of those that it trains, and the model computes with
them), ``outputs.any`` (its model gives all that the source's does, not log-probabilities of labels alone), ``sampling`` (each
rank has the whole model in training, which can write completions between two steps). One that divides parameters needs
``parallel.shards`` of the adapter.

Estimator, for several processes: ``f(EstimateRequest) -> Mapping[str, float]``, or an `Estimate` with these as its ``terms`` where there is
something to tell beside them; what is left out is as with one process.

- ``parameters``, ``gradients``, ``optimizer``, ``activations``: the share of each that a rank holds on its device; ``gathered``: how many
  layers are whole on it at a time; ``master``: its share of a further copy, in float32, of what trains; ``computes``: the share of a
  micro-batch's work that it does; ``cast``: the bytes of a number in which parameters are gathered, where they are not their own. Who
  gives ``parameters`` divides the model or moves its parameters: each has memory of its own. ``own_model``: 1 where it computes with a
  model of its own, made from the sizes.
- ``host_parameters``, ``host_gradients``, ``host_optimizer``, ``host_master``: the share that it holds in the host's memory instead;
  ``host_step``: seconds that a host takes there for the optimizer's step of a number that trains; ``host_loading``: the share of the whole
  model that the first rank has there while it loads, and the others then have no values.
- ``data``: into how many shares a batch is divided (left out: one for each process).
- Bytes that a rank sends: ``gather``, of each byte of the parameters in a micro-batch; ``reduce``, of each byte of the gradients in a
  micro-batch, and ``reduce_step``, in a step; ``exchange``, of each byte of a layer's hidden states in a micro-batch. ``group``: how many
  neighbours gather and exchange among them (left out: all). ``idle``: the share of the time in which a rank waits for others.

Variants (see `Provider.variants`) offer a process for each device that is there.

The loss of a step, the artifact and the order of the rows do not depend on the strategy beyond floating point: the engine divides what each
rank computes by the weight of the whole batch, so that gradients are *summed* over ranks, never averaged. Dropout is the exception:
each rank draws for itself what is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tunesmith.contracts.step import Placement

Tensor = Any
Module = Any
Optimizer = Any
Output = Mapping[str, Tensor]  #: what the model gives for a micro-batch, by name; only the engine knows more of it
OptimizerOf = Callable[[Module], Optimizer]  #: makes the optimizer over those parameters of a model that train


@dataclass(frozen=True)
class Mesh:
    """What a strategy has made of the processes, as far as it concerns anybody else.

    Args:
        device: the torch.device that this rank computes on.
        data_rank, data_size: which of how many shares of each batch it computes. Ranks that split a layer or the layers among them have the
            same share.
    """

    device: Any
    data_rank: int = 0
    data_size: int = 1


class ModelSource(Protocol):
    """The model that is to be trained, with its adapter, before anybody has loaded it; `path`: its directory."""

    path: Path

    def load(self, device: Any, *, separate: bool = False) -> Module:
        """With its weights on `device`, ready to train: what trains is marked and in float32.

        Args:
            separate: each parameter keeps memory of its own, for a strategy that divides or moves them.
        """

    def empty(self) -> Module:
        """The same modules and parameters as with `separate`, on the meta device, without values. Raises UserError where the adapter
        can't be put on such a model."""

    def layers(self, model: Module) -> Sequence[Module]:
        """Of what `load` or `empty` gave: the layers that follow each other, by which a strategy divides a model."""


class Training(Protocol):
    """A model in training. All methods but the two names are collective: every rank calls them, in the same order.

    `model` is what became of the source, `optimizer` what was made over its parameters: the engine reads their names, sets the learning
    rate of ``optimizer.param_groups`` and asks the optimizer for the weights in use.
    """

    model: Module
    optimizer: Optimizer

    def forward(self, batches: Sequence[Any]) -> list[Output]:
        """What the model gives for each of `batches`, in evaluation mode, without gradients; the same on all ranks that share them."""

    def forward_backward(self, batches: Sequence[Any], loss: Callable[[Output, int], Tensor]) -> None:
        """Add to the gradients: of ``loss(output, number)`` for each micro-batch of a step, in whatever schedule. When this returns, they
        are the sum over the ranks. All ranks are given equally many micro-batches; `loss` is called where the output is, and once for each.
        """

    def clip(self, limit: float, scale: float = 1.0) -> float:
        """The gradients' global norm before clipping to `limit` (no clipping at 0), once they are divided by `scale`, which the losses
        were multiplied with. Infinite or no number where a gradient is: then `zero_grad` follows, and no `step`."""

    def step(self) -> None:
        """The optimizer's step."""

    def zero_grad(self) -> None:
        """Forget the gradients, whether a step was made with them or not."""

    def whole(self) -> AbstractContextManager[Module]:
        """Within it, the model on the first rank has all its parameters whole, to be saved or merged; elsewhere it is not to be read."""

    def save_state(self, directory: Path, *, optimizer: bool = True) -> None:
        """Write what trains, and the optimizer's state, as safetensors below the empty `directory`: each rank what it has of it."""

    def load_state(self, directory: Path) -> None:
        """The inverse, whatever number of ranks had written it. A directory without an optimizer's state leaves it as it is."""


@runtime_checkable
class Explains(Protocol):
    """A `Training` that tells of choices made with the model at hand: (what, reason) of each. They are kept with the run."""

    decisions: Sequence[tuple[str, str]]


class TrainerStrategy(Protocol):
    def start(self, placement: Placement) -> Mesh:
        """Join the other ranks."""

    def prepare(self, source: ModelSource, optimizer: OptimizerOf) -> Training:
        """Bring the model into memory, each rank its part, and make the optimizer."""

    def sum(self, value: Tensor) -> Tensor:
        """Sum over the shares of a batch, of what `loss` or the outputs of `forward` came to on each: where several ranks have the same
        share, it counts once, on a rank that `loss` is called on. The same on every rank afterwards."""

    def any(self, said: bool) -> bool:
        """Whether one of all the ranks says so; the same on every rank."""

    def barrier(self) -> None:
        """Wait for all ranks."""

    def finish(self) -> None:
        """Leave the others."""
