"""What this plugin brings: the objective `distill`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_distill.asks import asks
from tunesmith_distill.settings import DistillSettings

_JUDGED = {"with": ["validation", "validation_split"]}
METRICS = {
    "kl/forward": {"better": "lower", "summary": "divergence of the student from the teacher, over what the teacher might say", **_JUDGED},
    "kl/reverse": {"better": "lower", "summary": "the same over what the student might say", **_JUDGED},
    "agreement": {
        "better": "higher",
        "summary": "share of tokens where, of the teacher's likeliest, the student finds the same one likeliest",
        **_JUDGED,
    },
    "teacher_top_k_mass": {"summary": "probability that the teacher gives to its `top_k` likeliest tokens", **_JUDGED},
}
_ASKS = asks(DistillSettings())


@hookimpl
def objective() -> Provider:
    return Provider(
        name="distill",
        summary="distillation: learn to answer as a larger model would, from its probabilities",
        target="tunesmith_distill.objective:Distillation",
        settings=DistillSettings,
        accepts=("dataset/chat",),
        needs=_ASKS.needs,
        facts={**_ASKS.facts, "metrics": {f"validation_{name}": metric for name, metric in METRICS.items()}},
        estimator="tunesmith_distill.asks:parts",
    )
