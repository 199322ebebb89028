"""What this plugin brings: the adapter `bottleneck`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_bottleneck.settings import BottleneckSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="bottleneck",
        summary="small networks after each layer's blocks (Houlsby, Pfeiffer): the first adapters, non-linear",
        target="tunesmith_bottleneck.adapter:Bottleneck",
        settings=BottleneckSettings,
        accepts=("model/hf",),
        produces=("adapter/bottleneck",),
        capabilities={"merge": "none", "reference": "full", "continues": "full", "parallel.shards": "full", "parallel.own-model": "none"},
        limits={
            "parallel.own-model": "its modules lie in transformers' model",
            "merge": "they are not linear, so no matrix of the model can hold them",
        },
        estimator="tunesmith_bottleneck.estimate:parts",
    )
