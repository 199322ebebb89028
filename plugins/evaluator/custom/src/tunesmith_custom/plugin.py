"""What tunesmith-custom brings: the evaluator `custom`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_custom.settings import CustomSettings
from tunesmith_generation.api import COUNTS, bounds

_METRICS = {
    "score": {"better": "higher", "summary": "mean of what the function gives"},
    **bounds("score"),
    **COUNTS,
    "failed": {"summary": "questions that the endpoint refused, or that the function failed on"},
    "truncated": {"summary": "questions whose answer was cut off"},
    "unparsed": {"summary": "questions whose answer the function can't score"},
}


@hookimpl
def evaluator():
    return Provider(
        "custom",
        "answers of a served model, scored by a Python function of yours",
        "tunesmith_custom.evaluator:Custom",
        settings=CustomSettings,
        accepts=("endpoint/openai",),
        estimator="tunesmith_generation.api:estimate",
        facts={"data": ["dataset/chat", "dataset/prompt"], "metrics": _METRICS},
    )
