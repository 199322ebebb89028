"""What tunesmith-evalscope brings: the evaluator `evalscope`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_evalscope.records import FORMATS
from tunesmith_evalscope.settings import EvalScopeSettings
from tunesmith_generation.api import COUNTS, SMALLEST, bounds

_STATISTICS = {"R": "recall", "P": "precision", "F": "F1"}
_HIGHER = {
    "accuracy": "share of questions whose answer is right",
    "multi_choice_acc": "share of questions of whose choices all right ones and no other are chosen",
    "exact_match": "share of answers that equal the expected one",
    "f1": "F1 of the answer's words, as the benchmark has it",
    "is_correct": "share of answers that are right",
    "Rouge-L-R": "ROUGE-L of the answer, recall: EvalScope's main figure of answers",
    **{
        f"Rouge-{kind}-{end}": f"ROUGE-{kind} of the answer, {word}"
        for kind in ("L", "1", "2")
        for end, word in _STATISTICS.items()
        if (kind, end) != ("L", "R")
    },
}


def _metrics():
    found = {}
    for name, summary in _HIGHER.items():
        found |= {name: {"better": "higher", "summary": summary}, **bounds(name)}
    return {**found, "smallest_difference": SMALLEST, **COUNTS}


@hookimpl
def evaluator():
    return Provider(
        "evalscope",
        "benchmarks of ModelScope's EvalScope over your rows: choices, answers, and its own by name",
        "tunesmith_evalscope.evaluator:EvalScope",
        settings=EvalScopeSettings,
        accepts=("endpoint/openai",),
        estimator="tunesmith_generation.api:estimate",
        facts={"data": list(FORMATS), "metrics": _metrics()},
    )
