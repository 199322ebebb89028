"""What an algorithm of `ray.tune.search` suggests after the trials of a history.

Numbers are searched as shares of their ranges, 0 to 1, whole ones and choices by their place: so a logarithmic range is one for every
algorithm, and both ends belong to it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from tunesmith_ray_tune.settings import RayTuneSettings
from tunesmith_tune.api import Parameter, Search, Trial, Value

COST = "cost"
_ONLY_NUMBERS = ("bayesopt",)  #: algorithms that search nothing else


def suggested(settings: RayTuneSettings, search: Search, history: Sequence[Trial]) -> dict[str, Value]:
    import ray.tune

    plain = settings.search_alg in _ONLY_NUMBERS
    random = Random(f"{search.seed}:{len(history)}")
    values = {one.name: one.draw(random) for one in search.space}
    space = [one for one in search.space if one.numeric or not plain]
    if not space:
        return values
    known = list(_known(search, history))
    points = [{one.name: _place(one, trial.values[one.name], plain) for one in space} for trial, _ in known]
    algorithm = ray.tune.create_searcher(
        settings.search_alg, metric=COST, mode="min", points_to_evaluate=[dict(point) for point in points],
        **_options(settings, _seed(search, len(history))),
    )  # fmt: skip
    algorithm.set_search_properties(COST, "min", {one.name: _domain(one, plain) for one in space})
    for number, (_, cost) in enumerate(known):
        algorithm.suggest(str(number))
        algorithm.on_trial_complete(str(number), {COST: cost, "training_iteration": 1})
    found = algorithm.suggest(str(len(known)))
    if not isinstance(found, Mapping):  # it has come to its end, or to what it has suggested before
        return values
    return values | {one.name: _value(one, found[one.name], plain) for one in space}


def _known(search: Search, history: Sequence[Trial]) -> Iterator[tuple[Trial, float]]:
    """Trials that say something of their values, with what they cost; one that was given up as much as the worst that came to its end.

    One that failed says nothing: of the algorithms some can't be told that.
    """
    costs = {trial.number: search.goals[0].cost(trial.scores[0]) for trial in history if trial.state == "done"}
    costs = {number: cost for number, cost in costs.items() if math.isfinite(cost)}
    for trial in history:
        if trial.number in costs or (trial.state == "pruned" and costs):
            yield trial, costs.get(trial.number, max(costs.values()))


def _options(settings: RayTuneSettings, seed: int) -> dict[str, Any]:
    if settings.search_alg == "hyperopt":
        return {"n_initial_points": settings.n_initial_points, "random_state_seed": seed}
    if settings.search_alg == "bayesopt":  # a value that is suggested again is another matter for who asks
        return {"random_search_steps": settings.n_initial_points, "random_state": seed, "skip_duplicate": False}
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it tells of each study, and one is made at each proposal
    return {"sampler": optuna.samplers.TPESampler(n_startup_trials=settings.n_initial_points, seed=seed)}


def _seed(search: Search, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{search.seed}:{number}".encode()).digest()[:4], "big") % 2**31


def _domain(parameter: Parameter, plain: bool) -> Any:
    from ray import tune

    if plain or parameter.form in ("uniform", "log"):
        return tune.uniform(0.0, 1.0)
    return tune.randint(0, _count(parameter)) if parameter.form == "int" else tune.choice(list(range(_count(parameter))))


def _count(parameter: Parameter) -> int:
    if parameter.form == "choice":
        return len(parameter.choices)
    return (int(parameter.high) - int(parameter.low)) // parameter.step + 1


def _place(parameter: Parameter, value: Value, plain: bool) -> float | int:
    if plain or parameter.form in ("uniform", "log"):
        return parameter.share(value)
    return parameter.choices.index(value) if parameter.form == "choice" else (int(value) - int(parameter.low)) // parameter.step


def _value(parameter: Parameter, place: Any, plain: bool) -> Value:
    if parameter.form == "choice":
        return parameter.choices[int(place)]
    if parameter.form == "int":
        return int(parameter.low) + parameter.step * (round(float(place) * (_count(parameter) - 1)) if plain else int(place))
    return parameter.at(min(max(float(place), 0.0), 1.0))
