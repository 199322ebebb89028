"""CMA-ES (N. Hansen, "The CMA evolution strategy: a tutorial", arXiv:1604.00772) by the library that Optuna's own sampler is made of.

A generation is so many trials; when all of them have ended, the next one is drawn around the best. The state is made anew from the history:
the generations are told to a new optimizer with the same seed. Numbers are searched as shares of their ranges; choices are drawn at random.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from tunesmith_optuna.settings import CmaesSettings
from tunesmith_tune.api import Parameter, Proposal, Search, Trial, Value

if TYPE_CHECKING:
    import cmaes
    import numpy as np

_BAD = 1e12  # cost of a trial that did not come to its end: worse than any


class CMAES:
    def __init__(self, settings: CmaesSettings) -> None:
        self.settings = settings

    def propose(self, search: Search, history: Sequence[Trial]) -> Proposal | None:
        numbers = [one for one in search.space if one.numeric]
        random = Random(f"{search.seed}:{len(history)}")
        values: dict[str, Value] = {one.name: one.draw(random) for one in search.space if not one.numeric}
        if len(numbers) < 2:  # its library asks for two dimensions at least
            return Proposal({one.name: values.get(one.name, one.draw(random)) for one in search.space})
        size = self.settings.population_size or 4 + int(3 * math.log(len(numbers)))
        begun = len(history) - len(history) % size
        if any(trial.state in ("running", "paused") for trial in history[:begun]):
            return None
        optimizer = self._optimizer(search, numbers, size, history[:begun])
        place = [optimizer.ask() for _ in range(len(history) - begun + 1)][-1]
        values |= {one.name: _value(one, float(share)) for one, share in zip(numbers, place, strict=True)}
        return Proposal({one.name: values[one.name] for one in search.space})

    def _optimizer(self, search: Search, numbers: Sequence[Parameter], size: int, history: Sequence[Trial]) -> cmaes.CMA:
        import cmaes
        import numpy as np

        dimensions = len(numbers)
        seed = int.from_bytes(hashlib.sha256(f"{search.seed}".encode()).digest()[:4], "big")
        optimizer = cmaes.CMA(
            mean=np.full(dimensions, 0.5), sigma=self.settings.sigma0, bounds=np.tile([0.0, 1.0], (dimensions, 1)), seed=seed,
            population_size=size,
        )  # fmt: skip
        for start in range(0, len(history), size):
            generation: list[tuple[np.ndarray, float]] = []
            for trial in history[start : start + size]:
                optimizer.ask()  # so that its generator stands where it stood
                place = np.array([one.share(trial.values[one.name]) for one in numbers])
                cost = search.goals[0].cost(trial.scores[0]) if trial.state == "done" else _BAD
                generation.append((place, cost))
            optimizer.tell(generation)
        return optimizer


def _value(parameter: Parameter, share: float) -> Value:
    share = min(max(share, 0.0), 1.0)
    if parameter.form != "int":
        return parameter.at(share)
    count = (int(parameter.high) - int(parameter.low)) // parameter.step
    return int(parameter.low) + round(share * count) * parameter.step
