"""What tunesmith-verdict brings: the verb `verdict`, and the evaluator `regression`."""

from __future__ import annotations

from tunesmith.contracts import Input, Provider, Verb
from tunesmith.hookspecs import hookimpl
from tunesmith_generation.api import COUNTS, bounds
from tunesmith_verdict.settings import RegressionSettings, VerdictSettings

REPORT = ("report/metrics",)
_METRICS = {
    "verdict": {"better": "higher", "summary": "1: better at its task beyond chance, and nothing lost beyond chance; else 0"},
    "won": {"better": "higher", "summary": "1: better at its task beyond chance; else 0"},
    "areas_lost": {"better": "lower", "summary": "areas of the regression sets in which it has lost beyond chance"},
    "difference": {"summary": "of the task's metric, the model's less the base's"},
    **bounds("difference"),
    "p": {"summary": "of the paired test of the task's metric"},
}
_AREAS = {
    "right": "share of all questions that are answered right", "instructions": "share of the instructions that are followed",
    "refusals": "share of the requests that are refused or answered as they should be", "arithmetic": "share of the sums that are right",
    "language": "share of the answers in the language that was asked for",
    "repetition": "share of the long answers that don't repeat themselves",
}  # fmt: skip


def _measured():
    found = {}
    for name, summary in _AREAS.items():
        found |= {name: {"better": "higher", "summary": summary, "reference": False}, **bounds(name, reference=False)}
    return {**found, **COUNTS}


@hookimpl
def verb() -> Verb:
    return Verb(
        name="verdict",
        summary="whether a model is better than its base beyond chance, and has lost nothing",
        target="tunesmith_verdict.verdict:run",
        settings=VerdictSettings,
        inputs=(
            Input("report", "evaluation of the model at its task", accepts=REPORT),
            Input("base", "the same of the model that it is compared with", accepts=REPORT),
            Input("regression", "evaluations of the model in which nothing may be lost", accepts=REPORT, required=False, many=True),
            Input("regression_base", "the same of the model that it is compared with", accepts=REPORT, required=False, many=True),
        ),
        produces=("report/verdict",),
        facts={"metrics": _METRICS},
    )


@hookimpl
def evaluator() -> Provider:
    return Provider(
        "regression",
        "a small built-in set of what tuning must not cost: instructions, refusals, arithmetic, language, repetition",
        "tunesmith_verdict.regression.evaluator:Regression",
        settings=RegressionSettings,
        accepts=("endpoint/openai",),
        estimator="tunesmith_verdict.regression.estimate:estimate",
        facts={"metrics": _measured()},
    )
