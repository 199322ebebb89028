"""Whether a scheduler of `ray.tune.schedulers` gives a trial up at the newest of its points.

It is told of trials one after the other, point by point. A scheduler expects Ray's trials and controller; it takes of a trial its name, and
asks the controller which trials wait for a place to yield to: here none, since a trial that has begun is run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tunesmith_ray_tune.search_algorithms import COST
from tunesmith_ray_tune.settings import RayTuneSettings
from tunesmith_tune.api import Search, Trial

TIME, WHOLE = "training_iteration", 100  # a trial's way in hundredths, as Ray counts it
_WORST = 1e30  # cost where a metric is no number any more


@dataclass(frozen=True)
class _Named:
    trial_id: str


class _NobodyWaits:
    @staticmethod
    def get_live_trials() -> list[Any]:
        return []


def gives_up(settings: RayTuneSettings, search: Search, history: Sequence[Trial], trial: Trial) -> bool:
    from ray.tune.schedulers import TrialScheduler

    scheduler, nobody = _scheduler(settings), _NobodyWaits()
    for one in (*history, trial):
        named = _Named(str(one.number))
        with _drawn_by(search.seed, one.number):
            scheduler.on_trial_add(nobody, named)
        told = TrialScheduler.CONTINUE
        for result in _results(search, one):
            if (told := scheduler.on_trial_result(nobody, named, result)) == TrialScheduler.STOP:
                break  # with several at once it may have gone on, since less was known then
    return bool(told == TrialScheduler.STOP)


def _scheduler(settings: RayTuneSettings) -> Any:
    from ray import tune

    least = max(1, round(settings.grace_period * WHOLE))
    options: dict[str, Any] = {"min_samples_required": settings.min_samples_required}
    if settings.scheduler == "async_hyperband":
        # one time more than there are, so that the end itself is nothing to stop at
        options = {"max_t": WHOLE + 1, "reduction_factor": settings.reduction_factor, "brackets": settings.brackets}
    return tune.create_scheduler(settings.scheduler, time_attr=TIME, metric=COST, mode="min", grace_period=least, **options)


def _results(search: Search, trial: Trial) -> Iterator[dict[str, Any]]:
    assert search.followed
    for point in trial.points:
        cost = search.followed.cost(point.value)
        yield {TIME: max(1, round(point.share * WHOLE)), COST: cost if math.isfinite(cost) else _WORST}


@contextmanager
def _drawn_by(seed: int, number: int) -> Iterator[None]:
    """What is drawn within from numpy's global generator, as a trial's bracket is, depends on the search and the trial alone."""
    import numpy as np

    before = np.random.get_state()
    np.random.seed([seed % 2**32, number])
    try:
        yield
    finally:
        np.random.set_state(before)
