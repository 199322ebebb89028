"""What this plugin brings: the objective `process-reward`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_process_reward.asks import asks
from tunesmith_process_reward.settings import ProcessRewardSettings

_JUDGED = {"better": "higher", "with": ["validation", "validation_split"]}
METRICS = {
    "validation_accuracy": {"summary": "share of the steps whose label is found", **_JUDGED},
    "validation_accuracy/wrong": {"summary": "share of the wrong steps that are found", **_JUDGED},
}


@hookimpl
def objective() -> Provider:
    return Provider(
        name="process-reward",
        summary="process reward model: right or wrong for each step of a solution",
        target="tunesmith_process_reward.objective:ProcessReward",
        settings=ProcessRewardSettings,
        accepts=("dataset/stepwise",),
        needs=asks(ProcessRewardSettings()).needs,
        facts={"metrics": METRICS, **asks(ProcessRewardSettings()).facts},
        estimator="tunesmith_process_reward.asks:parts",
    )
