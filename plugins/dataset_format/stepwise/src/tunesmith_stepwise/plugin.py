"""What tunesmith-stepwise brings: the dataset formats `stepwise`, `math-shepherd` and `prm800k`."""

from collections.abc import Sequence

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_stepwise import math_shepherd, prm800k, rows
from tunesmith_stepwise.settings import RatingSettings


@hookimpl
def dataset_format() -> Sequence[Provider]:
    produces = ("dataset/stepwise",)
    return [
        Provider(
            "stepwise", "solutions with a label for each step: {prompt, completions, labels}", "tunesmith_stepwise.rows:Stepwise",
            produces=produces, facts={"row": rows.ROW, "aliases": {"completions": ("steps",), "prompt": ("question", "problem")}},
        ),
        Provider(
            "math-shepherd", "solutions with marks, and the same with what the marks say: {input, label}",
            "tunesmith_stepwise.math_shepherd:MathShepherd", produces=produces, facts={"row": math_shepherd.ROW},
        ),
        Provider(
            "prm800k", "solutions as PRM800K keeps them, with the steps that were not taken: {question, label: {steps}}",
            "tunesmith_stepwise.prm800k:RatedSteps", RatingSettings, produces=produces, facts={"row": prm800k.ROW},
        ),
    ]  # fmt: skip
