"""The factor that keeps small gradients from vanishing in float16: losses are multiplied with it, gradients divided by it before the step.

Micikevicius et al., arXiv:1710.03740, with the numbers of PyTorch's `GradScaler`. Where gradients overflow the factor is halved and the
batch is computed again, where others pass over it: every row counts, in every run. It is doubled after `GROWTH_INTERVAL` steps without.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST, LEAST = 2.0**16, 1.0
GROWTH_INTERVAL = 2000


@dataclass
class LossScaler:
    """Args:
    scale: the factor; 1: none.
    steps: how many there were since it was changed.
    """

    scale: float = LEAST
    steps: int = 0

    @classmethod
    def of(cls, dtype: str) -> LossScaler:
        """The one to begin with in a training that computes in `dtype`."""
        return cls(FIRST if dtype == "float16" else LEAST)

    @property
    def active(self) -> bool:
        return self.scale > LEAST

    def overflowed(self) -> bool:
        """Halve the factor; False if it can't be halved any more."""
        if not self.active:
            return False
        self.scale, self.steps = self.scale / 2, 0
        return True

    def stepped(self) -> None:
        """A step was made with it."""
        self.steps += 1
        if self.active and self.steps == GROWTH_INTERVAL:
            self.scale, self.steps = self.scale * 2, 0
