"""What this plugin brings: the adapter `adalora`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_adalora.settings import AdaloraSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="adalora",
        summary="low-rank updates whose ranks move, while training, to the layers that need them",
        target="tunesmith_adalora.adapter:Adalora",
        settings=AdaloraSettings,
        accepts=("model/hf",),
        produces=("adapter/peft",),
        capabilities={
            "merge": "full",
            "reference": "full",
            "trains.weights": "partial",
            "parallel.shards": "none",
            "parallel.own-model": "none",
        },
        limits={
            "trains.weights": "it trains narrow matrices beside frozen ones",
            "parallel.own-model": "its modules lie in transformers' model",
            "parallel.shards": "its ranks move by what whole matrices and their gradients say",
        },
        estimator="tunesmith_adalora.estimate:parts",
    )
