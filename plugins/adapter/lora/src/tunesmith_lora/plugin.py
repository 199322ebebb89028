"""What this plugin brings: the adapter `lora`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_lora.settings import LoraSettings

_REGRET = "Schulman et al., LoRA Without Regret (Thinking Machines Lab, 2025)"
_RECOMMEND = [
    {
        "order": 20, "tokens": [0, 5_000_000], "step": {"learning_rate": 2e-4},
        "rule": "on all linear layers it learns from little data what full fine-tuning does, at ten times the learning rate",
        "source": f"{_REGRET}; Biderman et al., LoRA Learns Less and Forgets Less, arXiv:2405.09673",
    },
    {
        "order": 20, "tokens": [5_000_000], "settings": {"r": 64}, "step": {"learning_rate": 2e-4}, "source": _REGRET,
        "rule": "more data says more than a small rank can hold, and the best learning rate hardly depends on the rank",
    },
]  # fmt: skip


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
        facts={"low_rank": True, "recommend": _RECOMMEND},
        estimator="tunesmith_lora.estimate:parts",
        priority=10,
    )  # fmt: skip
