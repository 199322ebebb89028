"""What this plugin brings: the adapter `lora`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_lora.settings import LoraSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="lora",
        summary="low-rank updates beside frozen matrices: little to train, little to keep",
        target="tunesmith_lora.adapter:Lora",
        settings=LoraSettings,
        accepts=("model/hf",),
        produces=("adapter/peft",),
        capabilities={
            "merge": "full", "reference": "full", "continues": "full", "trains.weights": "partial", "parallel.shards": "full",
            "parallel.own-model": "none",
        },
        limits={
            "trains.weights": "it trains narrow matrices beside frozen ones",
            "parallel.own-model": "its modules lie in transformers' model",
        },
        estimator="tunesmith_lora.estimate:parts",
        priority=10,
    )  # fmt: skip
