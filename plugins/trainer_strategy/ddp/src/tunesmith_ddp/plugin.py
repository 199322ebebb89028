"""What this plugin brings: the strategy `ddp`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_ddp.settings import ReplicaSettings


@hookimpl
def trainer_strategy() -> Provider:
    return Provider(
        name="ddp",
        summary="several processes, each with the whole model and a share of every batch",
        target="tunesmith_ddp.strategy:Replicas",
        settings=ReplicaSettings,
        facts={"ranks": "num_processes"},
        estimator="tunesmith_ddp.estimate:shares",
        variants="tunesmith_ddp.estimate:variants",
        capabilities={
            "parallel.replicas": "full", "parallel.shards": "none", "gradients.whole": "full", "weights.swapped": "full",
            "outputs.any": "full", "sampling": "full",
        },
    )  # fmt: skip
