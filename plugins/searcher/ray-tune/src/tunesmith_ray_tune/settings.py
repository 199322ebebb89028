"""Settings of the searcher. They have the names and the values that they have in Ray Tune."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

SEARCH_ALGORITHMS = ("hyperopt", "optuna", "bayesopt")
SCHEDULERS = ("async_hyperband", "median_stopping_rule", "fifo")


@dataclass(frozen=True)
class RayTuneSettings:
    search_alg: str = setting(
        "hyperopt", "who says which values are tried. hyperopt: its tree-structured Parzen estimator; optuna: Optuna's; bayesopt: a "
        "Gaussian process over the numbers, choices at random", choices=SEARCH_ALGORITHMS,
    )  # fmt: skip
    n_initial_points: int = setting(8, "trials at random before the algorithm is asked", ge=1, aliases=("random_search_steps",))
    scheduler: str = setting(
        "async_hyperband", "who gives trials up on their way. async_hyperband: not among the best 1 in `reduction_factor` at some places "
        "(ASHA); median_stopping_rule: its best is worse than the median of the others' means; fifo: nobody", choices=SCHEDULERS,
    )  # fmt: skip
    grace_period: float = setting(0.1, "share of a trial before which none is given up", ge=0.01, le=1)
    reduction_factor: int = setting(3, "of `async_hyperband`: one in so many goes on", ge=2)
    brackets: int = setting(
        1, "of `async_hyperband`: a trial falls into one of so many brackets, each of which begins to judge later", ge=1
    )
    min_samples_required: int = setting(
        3, "of `median_stopping_rule`: trials that must have come as far before one is given up", ge=1,
        effect={"with": {"scheduler": "median_stopping_rule"}},
    )  # fmt: skip
