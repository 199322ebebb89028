"""An adapter that changes as training goes on: it is told of each step, and what it holds is in the checkpoints."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from tunesmith.contracts import Adapter, Stepping


class AdapterCallback:
    """Does nothing for an adapter that stays as it is."""

    def __init__(self, adapter: Adapter, model: torch.nn.Module) -> None:
        self.adapter, self.model = adapter if isinstance(adapter, Stepping) else None, model

    def stepped(self, done: int, total: int) -> None:
        if self.adapter is not None:
            self.adapter.stepped(self.model, done, total)

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint holds of it, by name."""
        return dict(self.adapter.progress(self.model)) if self.adapter is not None else {}

    def load_state(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """The inverse of `state`; before the parameters are loaded, whose shapes may depend on it."""
        if self.adapter is not None:
            self.adapter.load_progress(self.model, tensors)
