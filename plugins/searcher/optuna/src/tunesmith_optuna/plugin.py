"""What this plugin brings: the searchers `tpe` and `cmaes`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_optuna.settings import CmaesSettings, TpeSettings


@hookimpl
def searcher() -> Sequence[Provider]:
    return [
        Provider(
            "tpe",
            "tree-structured Parzen estimator: where trials were good before; gives bad ones up on their way",
            "tunesmith_optuna.tpe:TPE",
            settings=TpeSettings,
            facts={"several_goals": True},
            priority=10,
        ),
        Provider(
            "cmaes",
            "CMA-ES: generations of trials around the best ones, for numbers that depend on each other",
            "tunesmith_optuna.cma_es:CMAES",
            settings=CmaesSettings,
        ),
    ]
