"""What this plugin brings: the objective `ppo`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_completions import METRICS
from tunesmith_ppo.asks import asks
from tunesmith_ppo.settings import ProximalSettings


@hookimpl
def objective() -> Provider:
    asked = asks(ProximalSettings())
    return Provider(
        name="ppo",
        summary="proximal policy optimisation: learn from rewards of what the model itself writes, with a value head",
        target="tunesmith_ppo.objective:ProximalPolicy",
        settings=ProximalSettings,
        accepts=("dataset/prompt",),
        needs=asked.needs,
        facts={**asked.facts, "metrics": METRICS},
        estimator="tunesmith_ppo.asks:parts",
    )
