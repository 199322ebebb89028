"""What this plugin brings: the objective `dpo`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_dpo.asks import asks
from tunesmith_dpo.settings import PreferenceSettings

_JUDGED = {"with": ["validation", "validation_split"]}
METRICS = {
    "chosen": {"better": "higher", "summary": "reward of the chosen answer", **_JUDGED},
    "rejected": {"better": "lower", "summary": "reward of the rejected answer", **_JUDGED},
    "margin": {"better": "higher", "summary": "reward of the chosen answer above that of the rejected one", **_JUDGED},
    "accuracy": {"better": "higher", "summary": "share of the pairs whose chosen answer has the higher reward", **_JUDGED},
}


@hookimpl
def objective() -> Provider:
    return Provider(
        name="dpo",
        summary="direct preference optimisation: prefer the chosen answer to the rejected one",
        target="tunesmith_dpo.objective:DirectPreference",
        settings=PreferenceSettings,
        accepts=("dataset/preference",),
        needs=asks(PreferenceSettings()).needs,
        facts={**asks(PreferenceSettings()).facts, "metrics": {f"validation_rewards/{name}": metric for name, metric in METRICS.items()}},
        estimator="tunesmith_dpo.asks:parts",
    )
