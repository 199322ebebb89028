"""Optuna's TPE (J. Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011) and its pruners.

The study is made anew from the history at each call, in memory: trials are replayed in their order, their points reported and judged again.
So it has no state of its own that a kill could lose, and no second truth beside the search's journal. All values are costs: less is better,
whichever way a metric goes.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tunesmith_optuna.settings import TpeSettings
from tunesmith_tune.api import Parameter, Proposal, Search, Trial, Value

if TYPE_CHECKING:
    import optuna

WHOLE = 100  # steps of a trial, as Optuna counts them


class TPE:
    def __init__(self, settings: TpeSettings) -> None:
        self.settings = settings

    def propose(self, search: Search, history: Sequence[Trial]) -> Proposal:
        with _quiet():
            study = self._study(search, history, judged=False)
            asked = study.ask({one.name: _distribution(one) for one in search.space})
            return Proposal({one.name: _value(one, asked.params[one.name]) for one in search.space})

    def prune(self, search: Search, history: Sequence[Trial], trial: Trial) -> bool:
        if self.settings.pruner == "none" or len(search.goals) > 1:
            return False
        with _quiet():
            study = self._study(search, history, judged=True)
            return self._replay(study, search, trial, judged=True)

    def _study(self, search: Search, history: Sequence[Trial], *, judged: bool) -> optuna.Study:
        import optuna

        sampler = optuna.samplers.TPESampler(
            n_startup_trials=self.settings.n_startup_trials, n_ei_candidates=self.settings.n_ei_candidates,
            seed=_seed(search, len(history)), constant_liar=True,
        )  # fmt: skip
        study = optuna.create_study(
            study_name="search", directions=["minimize"] * len(search.goals), sampler=sampler, pruner=self._pruner()
        )  # fmt: skip
        for trial in history:
            self._replay(study, search, trial, judged=judged)
        return study

    def _replay(self, study: optuna.Study, search: Search, trial: Trial, *, judged: bool) -> bool:
        """Put a trial into the study as it went; whether its newest point is one to give it up at."""
        import optuna
        from optuna.trial import TrialState

        distributions = {one.name: _distribution(one) for one in search.space}
        frozen = optuna.trial.create_trial(state=TrialState.RUNNING, params=dict(trial.values), distributions=distributions)
        study.add_trial(frozen)
        here = optuna.trial.Trial(study, study.get_trials(deepcopy=False)[-1]._trial_id)
        prune = False
        if search.followed and len(search.goals) == 1:
            for point in trial.points:
                here.report(search.followed.cost(point.value), max(1, round(point.share * WHOLE)))
                prune = here.should_prune() if judged else False
        if trial.state == "done":
            study.tell(here, [goal.cost(score) for goal, score in zip(search.goals, trial.scores, strict=True)])
        elif trial.state == "pruned":
            study.tell(here, state=TrialState.PRUNED)
        elif trial.state == "failed":
            study.tell(here, state=TrialState.FAIL)
        return prune

    def _pruner(self) -> Any:
        import optuna

        settings = self.settings
        least = max(1, round(settings.min_share * WHOLE))
        if settings.pruner == "median":
            return optuna.pruners.MedianPruner(n_startup_trials=settings.pruner_startup_trials, n_warmup_steps=least)
        if settings.pruner == "successive_halving":
            return optuna.pruners.SuccessiveHalvingPruner(min_resource=least, reduction_factor=settings.reduction_factor)
        if settings.pruner == "hyperband":
            return optuna.pruners.HyperbandPruner(min_resource=least, max_resource=WHOLE, reduction_factor=settings.reduction_factor)
        return optuna.pruners.NopPruner()


def _seed(search: Search, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{search.seed}:{number}".encode()).digest()[:4], "big")


def _distribution(parameter: Parameter) -> Any:
    import optuna.distributions as of

    if parameter.form == "choice":
        return of.CategoricalDistribution(parameter.choices)
    if parameter.form == "int":
        return of.IntDistribution(int(parameter.low), int(parameter.high), step=parameter.step)
    return of.FloatDistribution(parameter.low, parameter.high, log=parameter.form == "log")


def _value(parameter: Parameter, value: Any) -> Value:
    if parameter.form == "choice":
        return next(one for one in parameter.choices if one == value and type(one) is type(value))
    return int(value) if parameter.form == "int" else float(value)


class _quiet(warnings.catch_warnings):  # noqa: N801
    """Optuna's notices are for those who call it themselves."""

    def __enter__(self) -> Any:
        import optuna

        found = super().__enter__()
        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        return found
