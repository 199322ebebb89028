"""What tunesmith-exact-match brings: the evaluator `exact_match`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_exact_match.settings import ExactMatchSettings


@hookimpl
def evaluator():
    return Provider(
        "exact_match",
        "share of answers that are exactly right",
        "tunesmith_exact_match.evaluator:ExactMatch",
        settings=ExactMatchSettings,
        accepts=("endpoint/openai",),
        estimator="tunesmith_exact_match.estimate:estimate",
        facts={
            "data": ["dataset/chat"],
            "metrics": {"exact_match": {"better": "higher", "summary": "share of answers that equal the expected one"}},
        },
    )
