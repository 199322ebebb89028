"""What this plugin brings: the adapter `boft`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_boft.settings import BoftSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="boft",
        summary="each layer's inputs are turned in small blocks and its outputs scaled: very few parameters",
        target="tunesmith_boft.adapter:Boft",
        settings=BoftSettings,
        accepts=("model/hf",),
        produces=("adapter/peft",),
        capabilities={
            "merge": "full",
            "reference": "full",
            "trains.weights": "none",
            "parallel.shards": "none",
            "parallel.own-model": "none",
        },
        limits={
            "parallel.own-model": "its modules lie in transformers' model",
            "trains.weights": "it trains turns of the inputs",
            "parallel.shards": "it looks at the values of its blocks when it is put on a model, and a process may have none",
        },
        estimator="tunesmith_boft.estimate:parts",
    )
