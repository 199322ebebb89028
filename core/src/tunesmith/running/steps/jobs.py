"""A step that runs elsewhere: the worker here that hands it to its executor."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.kinds.executor import Job
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.home_permissions import PRIVATE
from tunesmith.running.run_context import RunContext
from tunesmith.running.steps.environments import start_of
from tunesmith.running.worker.processes import HOST, Work
from tunesmith.running.worker.step_request import chosen, ranks_of, secrets_of, step_request

ENTRY = "tunesmith.isolation.job:run"
FOLDER = ".job"  #: of a work directory, where the executor notes what it needs to find the step's job again
OUTPUT = "files"  # of that folder: a job that outlives its host can't write to what is swept when this has died
STOP_TIMEOUT = 60.0  # seconds for a job to stop, wherever it runs


def handed_on(
    context: RunContext, step: PlannedStep, inputs: Mapping[str, Artifact], output: Path, work: Path, shared: Mapping[str, Any]
) -> Work:
    """The work of the one process here.

    Args:
        shared: what the requests of all ranks have in common.
    """
    assert step.executor is not None
    directory, start, record = work / FOLDER, start_of(context, step.recipe), step.executor.record
    directory.mkdir(mode=PRIVATE, exist_ok=True)
    ranks, threads = ranks_of(step), step.resources.threads
    meeting = f"file://{directory / 'rendezvous'}" if len(ranks) > 1 else ""
    job = Job(
        f"{context.plan.name}-{step.name}", directory, step.verb.target,
        [step_request(step, inputs, directory / OUTPUT, work, rank=rank, rendezvous=meeting, **shared) for rank in ranks],
        start.command or HOST, {**({"OMP_NUM_THREADS": str(max(1, threads // len(ranks)))} if threads else {}), **start.environment},
        secrets_of(step), step.resources,
    )  # fmt: skip
    request = {
        "name": step.name, "pipeline": context.plan.name, "output": str(output), "work": str(directory), "seed": step.seed,
        "placement": {}, "settings": {}, "settings_class": "", "distribution": record.distribution, "inputs": {},
        "choices": {record.kind: chosen(step.executor)}, "facts": {"job": {**dataclasses.asdict(job), "directory": str(directory)}},
    }  # fmt: skip
    return Work(step.name, ENTRY, (request,), context.logs(step), start_of(context, step.launcher), directory, secrets_of(step))
