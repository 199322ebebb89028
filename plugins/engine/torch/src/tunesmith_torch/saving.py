"""When a checkpoint is made, what goes into it, and where a run goes on."""

from __future__ import annotations

import time
from typing import Any

import torch

from tunesmith.contracts import Step, TrainerStrategy
from tunesmith_torch.checkpoints import Checkpoint, Checkpoints
from tunesmith_torch.evolution import Evolution
from tunesmith_torch.progress import Progress
from tunesmith_torch.settings import TrainSettings


class Saving:
    """The checkpoints of a run.

    Args:
        module, optimizer: as the strategy wrapped them.
        evolution: what of the adapter goes on beside its parameters.
        identity: what the order of the data depends on: with another one the position in it would mean other rows.
    """

    def __init__(
        self, step: Step, settings: TrainSettings, strategy: TrainerStrategy, module: Any, optimizer: Any, evolution: Evolution,
        identity: dict[str, Any], device: torch.device,
    ) -> None:  # fmt: skip
        self.step, self.settings, self.strategy, self.device = step, settings, strategy, device
        self.module, self.optimizer, self.evolution, self.identity = module, optimizer, evolution, identity
        self.checkpoints = Checkpoints(step.work / "checkpoints", keep=settings.keep_checkpoints, log=step.log)
        self._saved_at, self.saved_steps = time.monotonic(), 0

    def due(self, progress: Progress) -> bool:
        """Whether it is time, the same on every rank."""
        every, seconds = self.settings.checkpoint_every, self.settings.checkpoint_seconds
        done = progress.steps - self.saved_steps
        late = bool(seconds) and time.monotonic() - self._saved_at >= seconds
        if self.step.placement.processes > 1:  # the first rank's clock counts
            late = bool(self.strategy.sum(torch.tensor(float(late and self.step.placement.rank == 0), device=self.device)))
        return (bool(every) and done >= every) or late

    def save(self, progress: Progress) -> None:
        tensors = self.strategy.state(self.module, self.optimizer) | self.evolution.state()
        if self.step.placement.rank == 0:
            state = {"identity": self.identity, "tokens": progress.tokens, "history": progress.history}
            self.checkpoints.save(Checkpoint(progress.steps, tensors, state))
        self._saved_at, self.saved_steps = time.monotonic(), progress.steps

    def resume(self) -> Progress | None:
        """Put the newest checkpoint's parameters in place; None where there is none of this run."""
        found = self.checkpoints.newest()
        if found is None or found.state["identity"] != self.identity:
            return None
        self.evolution.load_state(found.tensors)
        self.strategy.load_state(self.module, self.optimizer, found.tensors)
        self.saved_steps = found.step
        return Progress(found.step, found.state["tokens"], list(found.state["history"]))

    def forget_bad(self, progress: Progress) -> None:
        """After a divergence: remove checkpoints unless the step after them, the first that shows their parameters, had a loss no higher
        than the first of all.
        """
        first = progress.history[0]["loss"] if progress.history else 0.0
        good = [at for at, point in enumerate(progress.history) if point["loss"] <= first]
        if self.step.placement.rank == 0:
            self.checkpoints.forget(max(good, default=0))
        self.strategy.barrier()
