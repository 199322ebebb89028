"""What this plugin brings: the adapter `full`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_full.settings import FullSettings

_RECOMMEND = [
    {
        "order": 30, "tokens": [50_000_000], "step": {"learning_rate": 2e-5},
        "rule": "so much data says more than low-rank updates can hold",
        "source": "Biderman et al., LoRA Learns Less and Forgets Less, arXiv:2405.09673",
    },
    {
        "order": 10, "step": {"learning_rate": 2e-5}, "source": "Schulman et al., LoRA Without Regret (Thinking Machines Lab, 2025)",
        "rule": "low-rank updates learn as much from little data, with a fraction of the memory",
    },
]  # fmt: skip


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="full",
        summary="every weight trains; what comes out is a whole model",
        target="tunesmith_full.adapter:Full",
        settings=FullSettings,
        accepts=("model/hf",),
        produces=("model/hf",),
        capabilities={
            "merge": "none",
            "reference": "full",
            "trains.weights": "full",
            "parallel.shards": "full",
            "parallel.own-model": "full",
        },
        facts={"recommend": _RECOMMEND},
        estimator="tunesmith_full.estimate:parts",
    )
