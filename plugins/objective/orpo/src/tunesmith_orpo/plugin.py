"""What this plugin brings: the objective `orpo`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_orpo.asks import asks
from tunesmith_orpo.settings import OddsRatioSettings
from tunesmith_pairs import ENTROPY, REWARDS, told

PARTS = {"loss/sft": ("lower", "the likelihood's part of the loss"), "loss/preference": ("lower", "the pair's part of the loss")}


@hookimpl
def objective() -> Provider:
    return Provider(
        name="orpo",
        summary="odds ratio preference optimisation: tune on chosen answers and prefer them, without a reference",
        target="tunesmith_orpo.objective:OddsRatioPreference",
        settings=OddsRatioSettings,
        accepts=("dataset/preference",),
        needs=asks(OddsRatioSettings()).needs,
        facts={"metrics": told(REWARDS | ENTROPY | PARTS)},
        estimator="tunesmith_orpo.asks:parts",
    )
