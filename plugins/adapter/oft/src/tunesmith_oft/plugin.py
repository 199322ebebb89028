"""What this plugin brings: the adapter `oft`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_oft.settings import OftSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="oft",
        summary="each layer's inputs are turned, block by block, not stretched: what the base knows stays",
        target="tunesmith_oft.adapter:Oft",
        settings=OftSettings,
        accepts=("model/hf",),
        produces=("adapter/peft",),
        capabilities={
            "merge": "full",
            "reference": "full",
            "trains.weights": "none",
            "parallel.shards": "full",
            "parallel.own-model": "none",
        },
        limits={"parallel.own-model": "its modules lie in transformers' model", "trains.weights": "it trains turns of the inputs"},
        estimator="tunesmith_oft.estimate:parts",
    )
