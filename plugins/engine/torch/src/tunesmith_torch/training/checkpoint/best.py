"""The parameters after the step that validation found best."""

from __future__ import annotations

from tunesmith.contracts import Step, Training
from tunesmith_torch.adapter.adapter_callback import AdapterCallback
from tunesmith_torch.training.checkpoint.ranks import Ranks
from tunesmith_torch.training.checkpoint.storage import ADAPTER, Checkpoints


class BestCheckpoint:
    """Keeps candidates beside the checkpoints. Which one counts follows from the history; one that a resumed run may still need stays
    until a checkpoint knows better.
    """

    def __init__(self, step: Step, training: Training, adapter_callback: AdapterCallback, ranks: Ranks) -> None:
        self.training, self.adapter_callback, self.ranks = training, adapter_callback, ranks
        self.candidates = Checkpoints(step.work / "best", keep=10**6, log=step.log, ranks=ranks)

    def keep(self, number: int) -> None:
        """The parameters as they are now, after step `number`."""
        self.candidates.save(
            number, lambda directory: self.training.save_state(directory, optimizer=False), {ADAPTER: self.adapter_callback.state()}, {}
        )

    def only(self, number: int) -> None:
        """A checkpoint has been made that names `number` the best: those before are not needed any more."""
        self.candidates.forget_before(number)

    def load(self, number: int) -> None:
        """Put those after step `number` in place."""
        self.ranks.barrier()
        found = self.candidates.at(number)
        self.adapter_callback.load_state(found.tensors(ADAPTER))
        self.training.load_state(found.parameters)
