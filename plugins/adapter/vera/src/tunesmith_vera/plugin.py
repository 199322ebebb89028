"""What this plugin brings: the adapter `vera`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_vera.settings import VeraSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="vera",
        summary="two vectors a layer scale random matrices that all layers share: a tenth of LoRA's parameters",
        target="tunesmith_vera.adapter:Vera",
        settings=VeraSettings,
        accepts=("model/hf",),
        produces=("adapter/peft",),
        capabilities={
            "merge": "full",
            "reference": "full",
            "trains.weights": "none",
            "parallel.shards": "full",
            "parallel.own-model": "none",
        },
        limits={"parallel.own-model": "its modules lie in transformers' model", "trains.weights": "it trains vectors"},
        estimator="tunesmith_vera.estimate:parts",
    )
