"""Contract of kind ``adapter``: how modules change, what trains, what is saved, how it merges.

``accepts``: formats of base model it can be put on. ``produces``: what `save` writes.
Capabilities: ``merge`` (it can be folded into the base), ``reference`` (it can give back the model as it was before training, which
preference objectives need), ``continues`` (`load` leaves what trains marked, so that what it saved can be trained further: the planner
gives it its own artifact, if that was made with the same settings, instead of folding it in first), ``parallel.shards`` (it trains where
each process has a piece of every matrix),
``parallel.own-model`` (all weights train, and nothing else, so that a strategy may compute with a model of its own), ``base.<format>``
(``base.gguf`` for ``model/gguf``: where it is none, its limit says why such a base is refused). Estimator: ``f(EstimateRequest) ->
{"trainable": parameters, ...}``, and where it applies ``of_base``: how many of those are the base's own, ``copies``: whole models kept
beside it for a reference (a fraction is allowed), ``quantized``: parameters of the base that are kept in fewer bits, ``quantized_bytes``:
what those take, ``modules_only``: 1 where it is a `ModulesOnly` with that set, ``outputs``: how often it keeps what each matrix gives for
the backward pass, ``work``: bytes that it makes and gives back in a layer, ``keeps_activations``: 1 where it does not go with
gradient checkpointing, ``sees_values``: 1 where `attach` or `begin` has to see the
model's values in every process, ``keeps_values``: 1 where it has to where the model from before training is asked for.

Facts: ``low_rank`` true: what it saves are two narrow matrices for some of the base's, whose product is added to what the
base is otherwise, as engines compute it while they run.

The protocols after `Adapter` are each optional: an adapter that has the method is asked, one that has not is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

Module = Any  #: torch.nn.Module; the contracts import no torch
Tensor = Any


class Adapter(Protocol):
    """Works on a model in place. Everything with `requires_grad` after `attach` is trained, nothing else."""

    def attach(self, model: Module, *, seed: int, reference: bool = False) -> None:
        """Put the adapter on `model` and mark what trains. Deterministic in `seed`.

        Args:
            reference: keep what `reference` will need.
        """

    def reference(self, model: Module) -> AbstractContextManager[Module]:
        """Within it, the yielded model computes as the base did before training."""

    def save(self, model: Module, directory: Path) -> None:
        """Write the artifact: weights as safetensors, and what `load` needs. No absolute path, no time in it."""

    def load(self, model: Module, directory: Path) -> None:
        """Attach to a bare base model with the saved weights, ready to run or to train on."""

    def merge(self, model: Module) -> Module:
        """The attached `model` as a plain one with the adapter folded in; its logits equal the unmerged ones."""


@runtime_checkable
class ModulesOnly(Protocol):
    """Touches nothing of the model but its modules and parameters, which have the names of the checkpoint's, its ``config``,
    ``get_input_embeddings()``, ``get_output_embeddings()``, ``state_dict()`` and ``save_pretrained(directory, state_dict=...)``, and calls
    it as ``model(input_ids=...).logits``: the engine may give it a faster model of its own that has these.

    That model's linear layers are torch's. What stands in the place of one is called with (1, tokens, in), and computes each token by
    itself; norms and embeddings stay what they are, but for their parameters."""

    modules_only: bool


@runtime_checkable
class BringsBase(Protocol):
    """Loads the base in a way of its own (in fewer bits), wherever it is loaded to be trained or run with this adapter."""

    def load_base(self, directory: Path, device: Any) -> Module:
        """The model in `directory` on `device`, in evaluation mode, nothing of it training."""


@runtime_checkable
class ConvertsLayers(Protocol):
    """Keeps the base's matrices in a way of its own (in fewer bits), and can do so layer by layer. With `modules_only` that is asked of it
    where the engine has a model of its own for the base, and `BringsBase` elsewhere."""

    def converted(self, layer: Module) -> Module:
        """What stands in the place of `layer`, a linear layer of the base with its values: frozen, of the same sizes and bias, callable,
        and with ``matrix(dtype)``, its (out, in) as it computes with it. Asked for each but the output head while the base is loaded."""


@runtime_checkable
class KnowsBase(Protocol):
    """Needs the base's files again, to save what does not train as it was."""

    def base_at(self, directory: Path) -> None:
        """Where the base lies; told before it is loaded, whoever loads it."""


@runtime_checkable
class BeginsFromData(Protocol):
    """Begins as the data suggests, not at random."""

    def begin(self, model: Module, passes: Iterable[Callable[[], None]]) -> None:
        """Called once after `attach`, before the first step, with the model in evaluation mode. Calling one of `passes` runs some of the
        training data through the attached `model`, without gradients; it may be left when enough was seen. Deterministic."""


@runtime_checkable
class OwnRates(Protocol):
    """Some of what it trains learns faster or slower."""

    def rates(self, model: Module) -> Mapping[str, float]:
        """What the learning rate is multiplied with, by name of the parameter; 1 for those not named."""


@runtime_checkable
class Stepping(Protocol):
    """Changes as training goes on (ranks that move from layer to layer)."""

    def stepped(self, model: Module, done: int, total: int) -> None:
        """Called after the optimizer's step number `done` of `total`, while the gradients are still there. The same on every rank."""

    def progress(self, model: Module) -> Mapping[str, Tensor]:
        """What a checkpoint must hold beside the parameters that train, by name."""

    def load_progress(self, model: Module, state: Mapping[str, Tensor]) -> None:
        """The inverse of `progress`."""


@runtime_checkable
class Penalising(Protocol):
    """Adds something to the loss that depends on the parameters only."""

    def penalty(self, model: Module) -> Tensor:
        """A scalar with gradient, counted once for a batch."""
