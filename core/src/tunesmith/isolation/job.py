"""What a worker does whose step runs elsewhere: it hands the job to the executor, and its files to whoever waits for the step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Result
from tunesmith.contracts.kinds.executor import Job
from tunesmith.contracts.resources import Resources
from tunesmith.isolation.worker_step import WorkerStep

KIND = "executor"


def run(step: WorkerStep) -> Result:
    job = from_json(step.facts["job"])
    result: Result = step.provider(KIND).run(step, job, step.notify)
    made = Path(job.steps[0]["output"])
    for entry in sorted(made.iterdir()):
        os.replace(entry, step.output / entry.name)
    return result


def from_json(data: Mapping[str, Any]) -> Job:
    """The job of `dataclasses.asdict`, as it came over the worker protocol."""
    return Job(**{**data, "directory": Path(data["directory"]), "resources": Resources(**data["resources"])})
