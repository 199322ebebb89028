"""What tunesmith-generation brings: the evaluator `generation`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_generation.facts import COUNTS, SMALLEST, bounds
from tunesmith_generation.settings import GenerationSettings

_FIGURES = {
    "exact_match": "share of answers that equal the expected one",
    "contains": "share of answers with the expected one in them",
    "regex": "share of answers with the pattern in them",
    "json_schema": "share of answers that are JSON and fit the schema",
    "rouge1": "F of the words shared with the expected answer, a mean over answers",
    "rouge2": "the same of pairs of words",
    "rougeL": "the same of the longest sequence of words",
    "bleu": "BLEU of all answers together, 0 to 100 (sacrebleu)",
    "chrf": "chrF of all answers together, 0 to 100 (sacrebleu)",
}
_ALONE = ("regex", "json_schema")  # look at no expected answer


def _metrics():
    found = {}
    for name, summary in _FIGURES.items():
        alone = {"reference": False} if name in _ALONE else {}
        found[name] = {"better": "higher", "summary": summary, **alone}
        found |= bounds(name, **alone)
    return {**found, "smallest_difference": SMALLEST, **COUNTS}


@hookimpl
def evaluator():
    return Provider(
        "generation",
        "how right a model's answers are: equal, containing, fitting a pattern or schema, ROUGE, BLEU, chrF",
        "tunesmith_generation.evaluator:Generation",
        settings=GenerationSettings,
        accepts=("endpoint/openai",),
        estimator="tunesmith_generation.estimate:estimate",
        facts={"data": ["dataset/chat"], "metrics": _metrics()},
    )
