"""What this plugin brings: the adapter `qlora`."""

from __future__ import annotations

from tunesmith.contracts import Need, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_qlora.settings import QloraSettings

_RECOMMEND = {
    "order": 15, "goals": {"memory": 40}, "step": {"learning_rate": 2e-4},
    "rule": "low-rank updates beside a base in nf4 come to what they come to beside one in 16 bits",
    "source": "Dettmers et al., QLoRA, arXiv:2305.14314",
}  # fmt: skip


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="qlora",
        summary="low-rank updates beside a base in 4 bits: the least memory for a model of a given size",
        target="tunesmith_qlora.adapter:Qlora",
        settings=QloraSettings,
        accepts=("model/hf", "model/bnb"),
        produces=("adapter/peft",),
        capabilities={
            "merge": "partial", "reference": "full", "device.cpu": "full", "device.cuda": "unknown", "parallel.shards": "none",
            "parallel.own-model": "none",
        },
        limits={
            "parallel.own-model": "its modules lie in transformers' model",
            "parallel.shards": "a matrix in 4 bits stays whole on one device",
            "merge": "the update was trained beside rounded weights: with `merge_into: dequantized` the result keeps the rounding of 4 "
            "bits, with `full` it has weights that the update was not trained with"
        },
        needs=(
            Need("producer", "weights.full", "`merge_into: full` folds the update into weights that a base stored in 4 bits no longer has",
                 when={"merge_into": "full"}, formats=("model/bnb",)),
        ),
        facts={"recommend": _RECOMMEND},
        estimator="tunesmith_qlora.estimate:parts",
    )  # fmt: skip
