"""What this plugin brings: the objective `sft`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_sft.asks import asks
from tunesmith_sft.settings import SupervisedSettings


@hookimpl
def objective() -> Provider:
    return Provider(
        name="sft",
        summary="supervised fine-tuning: learn the assistant's turns of example conversations",
        target="tunesmith_sft.objective:SupervisedTuning",
        settings=SupervisedSettings,
        accepts=("dataset/chat",),
        needs=asks(SupervisedSettings()).needs,
        facts={"metrics": {}},
        estimator="tunesmith_sft.asks:parts",
        priority=10,
    )
