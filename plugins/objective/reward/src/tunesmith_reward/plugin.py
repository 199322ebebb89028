"""What this plugin brings: the objective `reward`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_reward.asks import asks
from tunesmith_reward.settings import RewardSettings

_JUDGED = {"with": ["validation", "validation_split"]}
METRICS = {
    "chosen": {"better": "higher", "summary": "score of the chosen answer", **_JUDGED},
    "rejected": {"better": "lower", "summary": "score of the rejected answer", **_JUDGED},
    "margin": {"better": "higher", "summary": "score of the chosen answer above that of the rejected one", **_JUDGED},
    "accuracy": {"better": "higher", "summary": "share of the pairs whose chosen answer has the higher score", **_JUDGED},
    "mean": {"summary": "score of all answers", **_JUDGED},
}


@hookimpl
def objective() -> Provider:
    return Provider(
        name="reward",
        summary="reward model: a score for each answer, learnt from pairs of which one was preferred",
        target="tunesmith_reward.objective:RewardModel",
        settings=RewardSettings,
        accepts=("dataset/preference",),
        needs=asks(RewardSettings()).needs,
        facts={"metrics": {f"validation_rewards/{name}": metric for name, metric in METRICS.items()}, **asks(RewardSettings()).facts},
        estimator="tunesmith_reward.asks:parts",
    )
