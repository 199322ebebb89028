"""What this plugin brings: the strategy `megatron`."""

from __future__ import annotations

from tunesmith.contracts import Need, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_megatron.settings import MegatronSettings


@hookimpl
def trainer_strategy() -> Provider:
    return Provider(
        name="megatron",
        summary="several processes that divide layers, and the sequence of layers, among them by megatron-core",
        target="tunesmith_megatron.strategy:Megatron",
        settings=MegatronSettings,
        facts={"ranks": "num_processes"},
        needs=(Need("adapter", "parallel.own-model", "it computes with a model of its own, made from the weights"),),
        estimator="tunesmith_megatron.estimate:shares",
        variants="tunesmith_megatron.estimate:variants",
        capabilities={
            "parallel.replicas": "full", "parallel.shards": "full", "gradients.whole": "none", "weights.swapped": "none",
            "device.cuda": "partial",
            "device.cpu": "none", "outputs.any": "none", "sampling": "none",
        },
        limits={
            "sampling": "Megatron's model keeps no keys and values between two tokens",
            "device.cuda": "it is not verified on hardware",
            "device.cpu": "megatron-core allocates on NVIDIA devices, whatever it is told",
            "outputs.any": "Megatron's model gives log-probabilities of labels",
            "weights.swapped": "the optimizer changes a copy of its own, and the model has only what is trained",
            "gradients.whole": "each process has a part of every matrix, and of queries, keys and values in one",
        },
    )  # fmt: skip
