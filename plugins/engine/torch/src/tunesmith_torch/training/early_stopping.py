"""The best step so far, and how long the validation loss has not fallen.

Both follow from the history alone, so that a resumed run decides the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tunesmith_torch.training.validation import LOSS


@dataclass(frozen=True)
class EarlyStopping:
    """What a history of validations says.

    Args:
        step: after which the validation loss was least; 0: it was not measured yet.
        loss: that loss.
        waited: measurements since it last fell by more than `threshold`.
    """

    step: int = 0
    loss: float = math.inf
    waited: int = 0


def early_stopping(history: Sequence[Mapping[str, float]], threshold: float) -> EarlyStopping:
    best, step, waited, mark = math.inf, 0, 0, math.inf
    for point in history:
        loss = point.get(LOSS)
        if loss is None:
            continue
        if loss < best:
            best, step = loss, int(point["step"])
        waited += 1
        if loss < mark - threshold or mark == math.inf:
            mark, waited = loss, 0
    return EarlyStopping(step, best, waited)
