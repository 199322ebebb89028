"""What this plugin brings: the objective `cpo`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_cpo.asks import asks
from tunesmith_cpo.settings import ContrastiveSettings
from tunesmith_pairs import ENTROPY, REWARDS, told

PARTS = {"loss/sft": ("lower", "the likelihood's part of the loss"), "loss/preference": ("lower", "the pair's part of the loss")}


@hookimpl
def objective() -> Provider:
    return Provider(
        name="cpo",
        summary="contrastive preference optimisation: prefer the chosen answer and keep it likely, without a reference",
        target="tunesmith_cpo.objective:ContrastivePreference",
        settings=ContrastiveSettings,
        accepts=("dataset/preference",),
        needs=asks(ContrastiveSettings()).needs,
        facts={"metrics": told(REWARDS | ENTROPY | PARTS)},
        estimator="tunesmith_cpo.asks:parts",
    )
