"""Contract of kind ``adapter``: how modules change, what trains, what is saved, how it merges.

``accepts``: formats of base model it can be put on. ``produces``: what `save` writes.
Capabilities: ``merge`` (it can be folded into the base), ``reference`` (it can give back the model as it was before
training, which preference objectives need). Estimator: ``f(EstimateRequest) -> {"trainable": parameters, ...}``.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

Module = Any  #: torch.nn.Module; the contracts import no torch


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
