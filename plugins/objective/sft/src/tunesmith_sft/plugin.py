"""What this plugin brings: the objective `sft`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_sft.asks import asks
from tunesmith_sft.settings import SupervisedSettings

_RECOMMEND = {
    "order": 20, "rule": "answers that are good examples are imitated first of all",
    "source": "Ouyang et al., InstructGPT, arXiv:2203.02155",
}  # fmt: skip


@hookimpl
def objective() -> Provider:
    return Provider(
        name="sft",
        summary="supervised fine-tuning: learn the assistant's turns of example conversations",
        target="tunesmith_sft.objective:SupervisedTuning",
        settings=SupervisedSettings,
        accepts=("dataset/chat",),
        needs=asks(SupervisedSettings()).needs,
        facts={"metrics": {}, "recommend": _RECOMMEND},
        estimator="tunesmith_sft.asks:parts",
        priority=10,
    )
