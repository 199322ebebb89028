"""Training that diverges: numbers that are none any more, and a loss that is far above where it began and stays there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tunesmith.contracts import TunesmithError

FACTOR, STEPS = 10.0, 5  # times the first loss, in so many steps one after the other: no batch of hard rows does that
LEAST = 1.0  # of the first loss: losses that begin near 0 may well grow tenfold
_WORST = 3  # rows that an error names


def exploded(history: Sequence[Mapping[str, float]], loss: float) -> bool:
    """Whether training has come apart though its numbers are still finite: the loss of this step and of those before it was `FACTOR` times
    what it was in the first."""
    last = [*(point["loss"] for point in history[-STEPS + 1 :]), loss]
    return len(history) >= STEPS and min(last) > FACTOR * max(LEAST, history[0]["loss"])


def diverged(step: int, loss: float, norm: float, rows: Mapping[int, float] = MappingProxyType({})) -> TunesmithError:
    """
    Args:
        rows: losses by the numbers of the rows, where they are known: the largest are told.
    """
    worst = sorted(rows, key=lambda row: -rows[row] if math.isfinite(rows[row]) else -math.inf)[:_WORST]
    told = f" The largest losses are those of rows {', '.join(f'{row} ({rows[row]:.4g})' for row in worst)}." if worst else ""
    finite = math.isfinite(loss) and math.isfinite(norm)
    return TunesmithError(
        "TS-TRAIN-001", f"Training diverged at step {step}: loss {loss}, gradient norm {norm}",
        why=f"The loss was more than {FACTOR:g} times what it began with for {STEPS} steps. The learning rate is too high, usually.{told}"
        if finite
        else f"A number grew beyond what floating point holds. Usually the learning rate is too high, or a row is broken.{told}",
        fix="Lower `learning_rate`, set `max_grad_norm: 1.0`, or train in `dtype: float32`.", facts={"step": step, "rows": worst},
    )  # fmt: skip
