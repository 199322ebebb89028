"""What this plugin brings: the adapter `full`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_full.settings import FullSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="full",
        summary="every weight trains; what comes out is a whole model",
        target="tunesmith_full.adapter:Full",
        settings=FullSettings,
        accepts=("model/hf",),
        produces=("model/hf",),
        capabilities={
            "merge": "none",
            "reference": "full",
            "trains.weights": "full",
            "parallel.shards": "full",
            "parallel.own-model": "full",
        },
        estimator="tunesmith_full.estimate:parts",
    )
