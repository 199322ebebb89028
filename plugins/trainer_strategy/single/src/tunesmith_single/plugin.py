"""What this plugin brings: the strategy `single`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl


@hookimpl
def trainer_strategy() -> Provider:
    return Provider(
        name="single",
        summary="one process on one device",
        target="tunesmith_single.strategy:SingleProcess",
        capabilities={
            "parallel.replicas": "none",
            "parallel.shards": "none",
            "gradients.whole": "full",
            "weights.swapped": "full",
            "outputs.any": "full",
            "sampling": "full",
        },
        priority=10,
    )
