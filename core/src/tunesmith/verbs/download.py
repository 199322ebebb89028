"""The verb ``download``, and the question that the planner asks of a loader before it."""

from __future__ import annotations

import dataclasses

from tunesmith.contracts import ModelInfo, Result, Step
from tunesmith.verbs.models import with_config


def resolve(step: Step) -> Result:
    """What a model URI means now: the loader's `ModelInfo`, as the result's meta."""
    info = step.provider("model_loader").resolve(step.settings.uri, step)
    return Result(meta=dataclasses.asdict(info))


def run(step: Step) -> Result:
    """Fetch the files of the pinned model."""
    info = ModelInfo(**dataclasses.asdict(step.settings))
    step.provider("model_loader").fetch(info, step.output, step)
    meta = {"uri": info.uri, "revision": info.revision} | ({"config": dict(info.config)} if info.config else {})
    return with_config(Result(format=info.format, meta=meta), step.output)
