"""One process, one device: nothing to agree on."""

from __future__ import annotations

import torch

from tunesmith.contracts import Mesh, ModelSource, Placement
from tunesmith.contracts.kinds.trainer_strategy import OptimizerOf
from tunesmith_torch.api.training import TorchTraining


class SingleProcess:
    """The strategy `single`."""

    def __init__(self) -> None:
        self._mesh = Mesh(torch.device("cpu"))

    def start(self, placement: Placement) -> Mesh:
        self._mesh = Mesh(torch.device(placement.torch))
        return self._mesh

    def prepare(self, source: ModelSource, optimizer: OptimizerOf) -> TorchTraining:
        model = source.load(self._mesh.device)
        return TorchTraining(model, optimizer(model))

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        return value

    def any(self, said: bool) -> bool:
        return said

    def barrier(self) -> None:
        """Nobody to wait for."""

    def finish(self) -> None:
        """Nothing to leave."""
