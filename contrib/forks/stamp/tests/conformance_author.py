"""What the conformance kit can't know: a model with Acme's stamp."""

import shutil

from acme_stamp.plugin import FORMAT
from acme_stamp.settings import StampSettings
from acme_stamp.stamps import run

from tunesmith.contracts import Artifact
from tunesmith_sdk.local_step import LocalStep


def source(case):
    """For what reads stamps; the kit's own models do for the verb."""
    if case.kind == "verb":
        return None
    inputs = {"model": Artifact("model/hf", case.material("taught"))}
    step = LocalStep.make(case.work, inputs=inputs, settings=StampSettings())
    run(step)
    shutil.copytree(step.output, case.directory, dirs_exist_ok=True)
    return FORMAT
