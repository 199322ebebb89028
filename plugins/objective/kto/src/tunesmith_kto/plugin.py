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

_RECOMMEND = {
    "order": 20, "step": {"num_train_epochs": 1}, "times": {"learning_rate": 0.1},
    "rule": "answers that are good or bad need no pairs, and a tenth of the learning rate of supervised tuning",
    "source": "Ethayarajh et al., KTO, arXiv:2402.01306",
}  # fmt: skip


@hookimpl
def objective() -> Provider:
    return Provider(
        name="kto",
        summary="Kahneman-Tversky optimisation: learn from answers that are good or bad, without pairs",
        target="tunesmith_kto.objective:KahnemanTversky",
        settings=UtilitySettings,
        accepts=("dataset/unpaired",),
        needs=asks(UtilitySettings()).needs,
        facts={**asks(UtilitySettings()).facts, "metrics": told(METRICS | DISTANCE | ENTROPY), "recommend": _RECOMMEND},
        estimator="tunesmith_kto.asks:parts",
    )
