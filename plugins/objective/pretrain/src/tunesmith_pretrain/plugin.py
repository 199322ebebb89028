"""What this plugin brings: the objective `pretrain`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_pretrain.asks import asks
from tunesmith_pretrain.settings import PretrainSettings


@hookimpl
def objective() -> Provider:
    return Provider(
        name="pretrain",
        summary="pre-training: learn every token of plain text, long documents in pieces",
        target="tunesmith_pretrain.objective:Pretraining",
        settings=PretrainSettings,
        accepts=("dataset/text",),
        needs=asks(PretrainSettings()).needs,
        facts={"metrics": {}},
        estimator="tunesmith_pretrain.asks:parts",
    )
