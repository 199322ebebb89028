"""What this plugin brings: the objective `simpo`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_pairs import ENTROPY, REWARDS, told
from tunesmith_simpo.asks import asks
from tunesmith_simpo.settings import SimpleSettings


@hookimpl
def objective() -> Provider:
    return Provider(
        name="simpo",
        summary="simple preference optimisation: prefer by the mean log-probability of a token, without a reference",
        target="tunesmith_simpo.objective:SimplePreference",
        settings=SimpleSettings,
        accepts=("dataset/preference",),
        needs=asks(SimpleSettings()).needs,
        facts={"metrics": told(REWARDS | ENTROPY)},
        estimator="tunesmith_simpo.asks:parts",
    )
