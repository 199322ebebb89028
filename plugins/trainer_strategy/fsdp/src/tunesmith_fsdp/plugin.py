"""What this plugin brings: the strategy `fsdp`."""

from __future__ import annotations

from tunesmith.contracts import Need, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_fsdp.settings import ShardingSettings


@hookimpl
def trainer_strategy() -> Provider:
    return Provider(
        name="fsdp",
        summary="several processes that divide the model, its gradients and the optimizer's state among them",
        target="tunesmith_fsdp.strategy:FullyShardedDataParallel",
        settings=ShardingSettings,
        facts={"ranks": "num_processes"},
        needs=(Need("adapter", "parallel.shards", "each process has a piece of every matrix"),),
        estimator="tunesmith_fsdp.estimate:shares",
        variants="tunesmith_fsdp.estimate:variants",
        capabilities={
            "parallel.replicas": "none", "parallel.shards": "full", "gradients.whole": "none", "weights.swapped": "full",
            "outputs.any": "full", "sampling": "none",
        },
        limits={"sampling": "no process has the whole model, and a token at a time it would be gathered for each"},
    )  # fmt: skip
