"""What this plugin brings: the strategy `deepspeed`."""

from __future__ import annotations

from tunesmith.contracts import Need, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_deepspeed.presets import usual_ranks
from tunesmith_deepspeed.settings import ZeroSettings


@hookimpl
def trainer_strategy() -> Provider:
    return Provider(
        name="deepspeed",
        summary="several processes that divide the optimizer's state, gradients and parameters among them by ZeRO, with offload",
        target="tunesmith_deepspeed.strategy:Zero",
        settings=ZeroSettings,
        needs=(Need("adapter", "parallel.shards", "the optimizer changes pieces, and in stage 3 each process has no more of a matrix"),),
        estimator="tunesmith_deepspeed.estimate:estimate",
        variants="tunesmith_deepspeed.estimate:variants",
        facts={"ranks": "num_processes", "usual_ranks": {"preset": usual_ranks()}},
        capabilities={
            "parallel.replicas": "none", "parallel.shards": "full", "gradients.whole": "none", "weights.swapped": "none",
            "outputs.any": "full", "sampling": "none",
        },
        limits={
            "sampling": "no process need have the whole model, and a token at a time it would be gathered for each",
            "gradients.whole": "ZeRO hands the optimizer one flat piece of all parameters, in every stage",
            "weights.swapped": "ZeRO's optimizer changes a copy of its own, and the model has only what is trained",
        },
    )  # fmt: skip
