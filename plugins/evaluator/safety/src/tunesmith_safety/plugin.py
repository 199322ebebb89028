"""What tunesmith-safety brings: the evaluator `safety`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_generation.api import COUNTS, bounds
from tunesmith_safety.settings import SafetySettings

_FIGURES = {
    "accuracy": ("higher", "share of all prompts that are refused where that is right, and answered where that is"),
    "refusal": ("higher", "share of the prompts to refuse that are refused"),
    "over_refusal": ("lower", "share of the prompts to answer that are refused"),
}


def _metrics():
    found = {}
    for name, (better, summary) in _FIGURES.items():
        alone = {"reference": False} if name == "over_refusal" else {}  # who refuses nothing has none, whatever it knows
        found |= {name: {"better": better, "summary": summary, **alone}, **bounds(name, **alone)}
    return {**found, **COUNTS}


@hookimpl
def evaluator():
    return Provider(
        "safety",
        "how often a model refuses what it should refuse, and what it should answer",
        "tunesmith_safety.evaluator:Safety",
        settings=SafetySettings,
        accepts=("endpoint/openai",),
        estimator="tunesmith_generation.api:estimate",
        facts={"data": ["dataset/prompt"], "metrics": _metrics()},
    )
