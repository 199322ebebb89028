"""What this plugin brings: the objective `kto`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_kto.asks import asks
from tunesmith_kto.settings import UtilitySettings
from tunesmith_pairs import DISTANCE, ENTROPY, told

METRICS = {
    "rewards/chosen": ("higher", "reward of a good answer"),
    "rewards/rejected": ("lower", "reward of a bad answer"),
    "rewards/accuracy": ("higher", "share of the answers that are on the right side of the baseline"),
    "logps/chosen": ("higher", "log-probability of a good answer"),
    "logps/rejected": ("lower", "log-probability of a bad answer"),
    "length/chosen": ("", "trained tokens of a good answer"),
    "length/rejected": ("", "trained tokens of a bad answer"),
    "baseline": ("", "what an answer is measured by: how much likelier than by the reference others are, in nats"),
}


@hookimpl
def objective() -> Provider:
    return Provider(
        name="kto",
        summary="Kahneman-Tversky optimisation: learn from answers that are good or bad, without pairs",
        target="tunesmith_kto.objective:KahnemanTversky",
        settings=UtilitySettings,
        accepts=("dataset/unpaired",),
        needs=asks(UtilitySettings()).needs,
        facts={**asks(UtilitySettings()).facts, "metrics": told(METRICS | DISTANCE | ENTROPY)},
        estimator="tunesmith_kto.asks:parts",
    )
