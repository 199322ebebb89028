"""What this plugin brings: the adapter `dora`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_dora.settings import DoraSettings

_RECOMMEND = {
    "order": 12, "step": {"learning_rate": 2e-4}, "source": "Liu et al., DoRA, arXiv:2402.09353",
    "rule": "it comes closer to full fine-tuning than lora where the rank is small, and takes longer for each step",
}  # fmt: skip


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="dora",
        summary="a low-rank update of the direction of each row, and its length beside it: closer to full tuning",
        target="tunesmith_dora.adapter:Dora",
        settings=DoraSettings,
        accepts=("model/hf",),
        produces=("adapter/peft",),
        capabilities={
            "merge": "full",
            "reference": "full",
            "continues": "full",
            "trains.weights": "partial",
            "base.gptq": "none",
            "base.awq": "none",
            "parallel.shards": "full",
            "parallel.own-model": "none",
        },
        limits={
            "parallel.own-model": "its modules lie in transformers' model",
            "trains.weights": "it trains narrow matrices beside frozen ones",
            "base.gptq": "DoRA needs the length of each row of W + B A at every step, which PEFT does not compute of GPTQ's packed weights",
            "base.awq": "DoRA needs the length of each row of W + B A at every step, which PEFT does not compute of AWQ's packed weights",
        },
        facts={"recommend": _RECOMMEND},
        estimator="tunesmith_dora.estimate:parts",
    )
