"""What this plugin brings: the adapter `ia3`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_ia3.settings import Ia3Settings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="ia3",
        summary="a factor for each key, value and inner activation: the fewest parameters of all",
        target="tunesmith_ia3.adapter:Ia3",
        settings=Ia3Settings,
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
        estimator="tunesmith_ia3.estimate:parts",
    )
