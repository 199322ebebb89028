"""What this plugin brings: the adapter `peft`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_peft.settings import PeftSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="peft",
        summary="any in-place method of the PEFT library by its name, with PEFT's own options",
        target="tunesmith_peft.adapter:Peft",
        settings=PeftSettings,
        accepts=("model/hf",),
        produces=("adapter/peft",),
        capabilities={
            "merge": "partial",
            "reference": "full",
            "trains.weights": "partial",
            "parallel.shards": "partial",
            "parallel.own-model": "none",
        },
        limits={
            "parallel.own-model": "its modules lie in transformers' model",
            "trains.weights": "most of its methods train narrow tensors beside frozen matrices",
            "merge": "most methods fold into the base, but `lily` does not, and `beft` only where the base has biases",
            "parallel.shards": "not with a method that looks at values when it is put on a model (boft, say), nor with biases of the "
            "base that train",
        },
        estimator="tunesmith_peft.estimate:parts",
        priority=-10,
    )
