"""Judging by rows that are not learnt from, while training: measured, the best kept, stopped when it gets no better.

What was decided follows from the history alone, so that a resumed run decides the same.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from tunesmith.contracts import Step, TrainerStrategy
from tunesmith_torch.batches import schedule
from tunesmith_torch.computation import Computation
from tunesmith_torch.groups import Learnable
from tunesmith_torch.settings import TrainSettings

LOSS = "validation_loss"
_PREFIX = "validation_"


class Validation:
    """The loss and the objective's metrics over `groups`, on all ranks together."""

    def __init__(
        self, step: Step, settings: TrainSettings, groups: Learnable | None, computation: Computation, strategy: TrainerStrategy
    ) -> None:  # fmt: skip
        self.step, self.settings, self.groups = step, settings, groups or ()
        self.computation, self.strategy = computation, strategy
        placement = step.placement
        self.micros = schedule(groups.sizes, placement.processes, settings.micro_tokens)[placement.rank] if groups else []
        self.weight = sum(computation.objective.weight(group) for group in self.groups)

    def due(self, steps: int, per_epoch: int, total: int) -> bool:
        """Whether it is asked for after so many steps."""
        return bool(self.groups) and (steps == total or steps % (self.settings.validate_every or per_epoch) == 0)

    def measure(self) -> dict[str, float]:
        """Names with ``validation_`` before them."""
        sums = torch.zeros(1 + len(self.computation.reported), device=self.computation.device)
        for number, micro in enumerate(self.micros):
            self.step.check_cancelled()
            self.step.progress(number, len(self.micros), what="validate", unit="passes")
            sums += self.computation.judge([self.groups[i] for i in micro])
        self.step.progress(len(self.micros), len(self.micros), what="validate", unit="passes")
        values = (self.strategy.sum(sums) / self.weight).tolist()
        return {_PREFIX + name: value for name, value in zip(("loss", *self.computation.reported), values, strict=True)}


@dataclass(frozen=True)
class Standing:
    """What a history says.

    Args:
        step: after which the validation loss was least; 0: it was not measured yet.
        loss: that loss.
        waited: measurements since it last fell by more than `min_delta`.
    """

    step: int = 0
    loss: float = math.inf
    waited: int = 0


def standing(history: Sequence[Mapping[str, float]], min_delta: float) -> Standing:
    best, step, waited, mark = math.inf, 0, 0, math.inf
    for point in history:
        loss = point.get(LOSS)
        if loss is None:
            continue
        if loss < best:
            best, step = loss, int(point["step"])
        waited += 1
        if loss < mark - min_delta or mark == math.inf:
            mark, waited = loss, 0
    return Standing(step, best, waited)


def held_out(rows: int, share: float, seed: int) -> list[int]:
    """Which rows are kept for validation, in their order: at least one, at least one is left."""
    count = min(max(1, round(share * rows)), rows - 1) if share else 0
    return sorted(random.Random(f"validation {seed}").sample(range(rows), max(0, count)))
