"""Settings of the searchers. They have the names that they have in Optuna."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import UserError, setting

SMALLEST = 4  #: generation that CMA-ES can learn from
PRUNERS = ("median", "successive_halving", "hyperband", "none")


@dataclass(frozen=True)
class TpeSettings:
    n_startup_trials: int = setting(8, "trials at random before the estimator is asked", ge=1)
    n_ei_candidates: int = setting(24, "values among which each is chosen", ge=1)
    pruner: str = setting(
        "median", "who gives trials up on their way. median: worse than half of the others there; successive_halving and hyperband: "
        "not among the best 1 in `reduction_factor` at some places", choices=PRUNERS,
    )  # fmt: skip
    pruner_startup_trials: int = setting(4, "trials that must have come to their end before `median` gives one up", ge=0)
    min_share: float = setting(0.1, "share of a trial before which none is given up", ge=0.01, le=1)
    reduction_factor: int = setting(
        3, "of `successive_halving` and `hyperband`: one in so many goes on", ge=2, effect={"with": {"pruner": "successive_halving"}},
        aliases=("eta",),
    )  # fmt: skip


@dataclass(frozen=True)
class CmaesSettings:
    population_size: int = setting(0, "trials of a generation; 0: 4 + 3 ln(parameters), as its authors advise", ge=0, aliases=("popsize",))
    sigma0: float = setting(0.25, "how far the first generation reaches, as a share of each range", gt=0, le=1)

    def __post_init__(self) -> None:
        if 0 < self.population_size < SMALLEST:
            what = f"`population_size` {self.population_size} is no generation: its better half has nothing to differ in"
            raise UserError("TS-TUNE-005", what, fix=f"Give at least {SMALLEST}, or 0 for what its authors advise.")
