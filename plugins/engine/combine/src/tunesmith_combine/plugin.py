"""What this plugin brings: the verb `combine`."""

from __future__ import annotations

from tunesmith.contracts import Input, Verb
from tunesmith.hookspecs import hookimpl
from tunesmith_combine.settings import CombineSettings

TOGETHER = "what several models become together is to compute something else than each of them"


@hookimpl
def verb() -> Verb:
    return Verb(
        name="combine",
        summary="several fine-tuned models of one base as one model",
        target="tunesmith_combine.combine:run",
        settings=CombineSettings,
        inputs=(
            Input("model", "the base that all of them come from", accepts=("model/hf",)),
            Input("tuned", "the fine-tuned models or adapters", accepts=("model/hf",), many=True),
        ),
        produces=("model/hf",),
        facts={"metrics": {}, "edge": "update", "unbounded": TOGETHER},
        estimator="tunesmith_combine.estimate:combine",
    )
