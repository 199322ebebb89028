"""What this plugin brings: the objective `dpo`."""

from __future__ import annotations

from tunesmith.contracts import Need, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_dpo.settings import PreferenceSettings


@hookimpl
def objective() -> Provider:
    return Provider(
        name="dpo",
        summary="direct preference optimisation: prefer the chosen answer to the rejected one",
        target="tunesmith_dpo.objective:DirectPreference",
        settings=PreferenceSettings,
        accepts=("dataset/preference",),
        needs=(Need("adapter", "reference", "the loss compares the model with what it was before training"),),
        estimator="tunesmith_dpo.estimate:parts",
    )
