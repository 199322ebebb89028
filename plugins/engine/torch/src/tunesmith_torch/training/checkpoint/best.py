"""The parameters after the step that validation found best."""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import Step, TrainerStrategy
from tunesmith_torch.adapter.adapter_callback import AdapterCallback
from tunesmith_torch.training.checkpoint.storage import Checkpoint, Checkpoints

_OPTIMIZER = "optimizer"


class BestCheckpoint:
    """Keeps candidates beside the checkpoints. Which one counts follows from the history; one that a resumed run may still need stays
    until a checkpoint knows better.
    """

    def __init__(self, step: Step, strategy: TrainerStrategy, module: Any, optimizer: Any, adapter_callback: AdapterCallback) -> None:
        self.step, self.strategy, self.module, self.optimizer, self.adapter_callback = step, strategy, module, optimizer, adapter_callback
        self.shelf = Checkpoints(step.work / "best", keep=10**6, log=step.log)

    def keep(self, number: int) -> None:
        """The parameters as they are now, after step `number`."""
        tensors = self.strategy.state(self.module, self.optimizer) | self.adapter_callback.state()
        if self.step.placement.rank == 0:
            self.shelf.save(Checkpoint(number, {part: held for part, held in tensors.items() if part != _OPTIMIZER}, {}))

    def only(self, number: int) -> None:
        """A checkpoint has been made that names `number` the best: those before are not needed any more."""
        if self.step.placement.rank == 0:
            self.shelf.forget_before(number)

    def load(self, number: int) -> None:
        """Put those after step `number` in place."""
        self.strategy.barrier()
        found = self.shelf.at(number)
        self.adapter_callback.load_state(found.tensors)
        self.strategy.load_state(self.module, self.optimizer, self.strategy.state(self.module, self.optimizer) | found.tensors)
