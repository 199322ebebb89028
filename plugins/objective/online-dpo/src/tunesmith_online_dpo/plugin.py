"""What this plugin brings: the objective `online-dpo`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_completions import METRICS
from tunesmith_online_dpo.asks import asks
from tunesmith_online_dpo.settings import OnlinePreferenceSettings


@hookimpl
def objective() -> Provider:
    asked = asks(OnlinePreferenceSettings())
    return Provider(
        name="online-dpo",
        summary="DPO on what the model itself writes: the completion with the highest reward against that with the lowest",
        target="tunesmith_online_dpo.objective:OnlinePreference",
        settings=OnlinePreferenceSettings,
        accepts=("dataset/prompt",),
        needs=asked.needs,
        facts={**asked.facts, "metrics": METRICS},
        estimator="tunesmith_online_dpo.asks:parts",
    )
