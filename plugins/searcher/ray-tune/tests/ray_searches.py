"""Run in an environment with Ray: what its searches came to, as JSON on stdout."""

from __future__ import annotations

import json
from dataclasses import replace
from statistics import median

from tunesmith_ray_tune.searcher import RayTune
from tunesmith_ray_tune.settings import SCHEDULERS, SEARCH_ALGORITHMS, RayTuneSettings
from tunesmith_tune.api import Goal, Trial
from tunesmith_tune.conformance import SEARCH, loss, searched
from tunesmith_tune.searchers.random_search import RandomSearch

SEEDS = range(3)


def best(build, seed):
    trials, _ = searched(build, replace(SEARCH, seed=seed, followed=None))
    return min(loss(trial.values) for trial in trials)


def turned(searcher):
    """Whether it gives up what is worst when less is better, and when more is, of the same trials."""
    higher = replace(SEARCH, followed=Goal("tune.validation_accuracy", "higher"))
    done = [trial for trial in searched(RandomSearch, SEARCH)[0]][:6]
    worst = Trial(9, done[0].values, "running", points=tuple(replace(one, value=one.value + 9) for one in done[0].points[:3]))
    flipped = [replace(one, points=tuple(replace(point, value=-point.value) for point in one.points)) for one in (*done, worst)]
    return [searcher.prune(SEARCH, done, worst), searcher.prune(higher, flipped[:-1], flipped[-1]), searcher.prune(higher, done, worst)]


def main() -> None:
    found = {"random": median(best(RandomSearch, seed) for seed in SEEDS)}
    for algorithm in SEARCH_ALGORITHMS:
        found[algorithm] = median(best(lambda: RayTune(RayTuneSettings(algorithm, scheduler="fifo")), seed) for seed in SEEDS)  # noqa: B023
    pruned, states = {}, {}
    for scheduler in SCHEDULERS:
        searcher = RayTune(RayTuneSettings(scheduler=scheduler, brackets=2))
        trials, said = searched(lambda: searcher, SEARCH)  # noqa: B023
        again, anew = searched(lambda: RayTune(RayTuneSettings(scheduler=scheduler, brackets=2)), SEARCH)  # noqa: B023
        pruned[scheduler] = [trial.state for trial in trials].count("pruned")
        states[scheduler] = trials == again and said == anew
    ways = {name: turned(RayTune(RayTuneSettings(scheduler=name, min_samples_required=1))) for name in SCHEDULERS[:2]}
    print(json.dumps({"best": found, "pruned": pruned, "same": states, "ways": ways}))


if __name__ == "__main__":
    main()
