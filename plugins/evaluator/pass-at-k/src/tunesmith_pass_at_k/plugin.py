"""What tunesmith-pass-at-k brings: the evaluator `pass-at-k`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_generation.api import COUNTS, bounds
from tunesmith_pass_at_k.settings import KS, PassAtKSettings


def _metrics():
    found = {}
    for k in KS:
        found[f"pass@{k}"] = {"better": "higher", "summary": f"chance that one of {k} answers to a problem is right"}
        found |= bounds(f"pass@{k}")
    return {
        **found,
        **COUNTS,
        "failed": {"summary": "problems with an answer that the endpoint refused, or that the reward failed on"},
        "truncated": {"summary": "problems with an answer that was cut off"},
        "unparsed": {"summary": "problems with an answer that the reward can't tell of"},
    }


@hookimpl
def evaluator():
    return Provider(
        "pass-at-k",
        "how often a problem is solved within k answers: programs by their tests in a sandbox, or by another reward",
        "tunesmith_pass_at_k.evaluator:PassAtK",
        settings=PassAtKSettings,
        accepts=("endpoint/openai",),
        estimator="tunesmith_generation.api:estimate",
        facts={"data": ["dataset/prompt"], "metrics": _metrics()},
    )
