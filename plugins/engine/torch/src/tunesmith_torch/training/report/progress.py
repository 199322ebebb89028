"""What training has done so far, and telling it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import torch

from tunesmith.contracts import Step
from tunesmith_torch.training.loss.loss_scaler import LossScaler
from tunesmith_torch.training.report.peak_memory import peak_memory

_PLACE = ("step", "epoch")


@dataclass
class Progress:
    """All of it is in a checkpoint, none of it depends on time."""

    steps: int = 0
    tokens: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    scaler: LossScaler = field(default_factory=LossScaler)
    objective: dict[str, torch.Tensor] = field(default_factory=dict)  #: its state


class ProgressReporter:
    """Tells the step's listeners how far training is.

    Args:
        total: steps there are.
        every: steps between points of the metrics.
    """

    def __init__(self, step: Step, total: int, every: int) -> None:
        self.step, self.total, self.every = step, total, every

    def stepped(self, progress: Progress, tokens: int, seconds: float) -> bool:
        """The newest point of the history, `tokens` trained on in `seconds`; whether its metrics were told."""
        number = progress.steps
        due = number % self.every == 0 or number == self.total
        if due:
            self.point(progress.history[-1])
            self.step.metric("tokens_per_second", tokens / seconds, number)
            self.step.metric("step_seconds", seconds, number)
        self.bar(number)
        return due

    def ended(self, steps: int, model: torch.nn.Module) -> None:
        """All steps are done: what memory they took, and what checkpoints take of the disk."""
        if peak := peak_memory(next(model.parameters()).device):
            self.step.metric("peak_memory", peak, steps)
        with contextlib.suppress(OSError):  # other ranks may be at work in the same directory
            self.step.metric("checkpoint_bytes", sum(path.stat().st_size for path in self.step.work.rglob("*") if path.is_file()), steps)

    def resumed(self, progress: Progress) -> None:
        """Where it goes on, then all points again: an earlier attempt's may be lost."""
        self.step.log(f"resumed at step {progress.steps} of {self.total}")
        self.step.decide(f"goes on from step {progress.steps} of {self.total}", "an attempt before had saved a checkpoint there")
        self.bar(progress.steps)
        for point in progress.history:
            self.point(point)

    def point(self, point: dict[str, float]) -> None:
        for name, value in point.items():
            if name not in _PLACE:
                self.step.metric(name, value, int(point["step"]))

    def bar(self, done: int, of: int = 0) -> None:
        self.step.progress(done, of or self.total, what="train", unit="steps")
