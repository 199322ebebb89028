"""Megatron's model in the place of transformers': what the engine reads of a model in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from tunesmith_megatron.parameters import Parameters


class MegatronModel(torch.nn.Module):
    """Its parameters are this rank's that train.

    Args:
        shell: what the source gave, on the meta device: names, sizes and classes of the model that is saved.
        chunk: this rank's part, as Megatron's schedules call it.
        reference: the same from before training, where an objective asks for it.
    """

    packed = shares_media = whole = False  #: what sequences have in common is computed for each: every one is attended to by itself

    def __init__(self, shell: Any, chunk: torch.nn.Module, parameters: Parameters, reference: torch.nn.Module | None) -> None:
        super().__init__()
        self._apart = shell, chunk, reference  # no modules of this one: their parameters are not those that train
        self._asks_reference = False
        self.inputs_of: Callable[..., Any] | None = None
        for one in parameters:
            self.register_parameter(one.name.replace(".", "/"), one.trains)

    @property
    def shell(self) -> Any:
        return self._apart[0]

    @property
    def models(self) -> list[Any]:
        """transformers' models whose outputs the engine reads: none but the one that is saved."""
        return [self.model]

    @property
    def heads(self) -> Any:
        """None train: the plan refuses objectives that ask for some."""
        return self.shell.heads

    @property
    def model(self) -> Any:
        """transformers' model, without values."""
        return self._apart[0].model

    @property
    def chunk(self) -> torch.nn.Module:
        """What computes now."""
        chosen = self._apart[2] if self._asks_reference else self._apart[1]
        assert chosen is not None
        return chosen

    @contextmanager
    def before_training(self, adapter: Any) -> Iterator[None]:
        """Within it, the model computes as before training."""
        self._asks_reference = True
        try:
            yield
        finally:
            self._asks_reference = False
