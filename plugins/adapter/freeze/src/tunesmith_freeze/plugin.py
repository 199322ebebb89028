"""What this plugin brings: the adapter `freeze`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_freeze.settings import FreezeSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="freeze",
        summary="the last layers or named parts train, the rest stays; what comes out is a whole model",
        target="tunesmith_freeze.adapter:Freeze",
        settings=FreezeSettings,
        accepts=("model/hf",),
        produces=("model/hf",),
        capabilities={
            "merge": "none",
            "reference": "full",
            "trains.weights": "full",
            "parallel.shards": "partial",
            "parallel.own-model": "none",
        },
        limits={
            "parallel.own-model": "it leaves some of the weights as they are",
            "merge": "what it saves is a whole model: there is nothing to merge",
            "parallel.shards": "not with an objective that asks for the model before training: its values are kept whole",
        },
        estimator="tunesmith_freeze.estimate:parts",
    )
