"""One attempt at a step: stage, work, commit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.errors import TunesmithError
from tunesmith.isolation.metric_log import points_in
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.run_context import RunContext
from tunesmith.running.steps.environments import start_of
from tunesmith.running.steps.jobs import STOP_TIMEOUT, handed_on
from tunesmith.running.steps.metric_batches import Points
from tunesmith.running.steps.user_files import UserFiles, unsteady
from tunesmith.running.store.store import FILES
from tunesmith.running.turns import turn
from tunesmith.running.worker.notifications import Notifications
from tunesmith.running.worker.processes import CANCEL_TIMEOUT, Work, Workers
from tunesmith.running.worker.step_request import producer, ranks_of, secrets_of, step_request

THREADS = "OMP_NUM_THREADS"
READINGS = 3  # of files that are written meanwhile


def resolve_inputs(context: RunContext, step: PlannedStep, files: UserFiles) -> dict[str, Artifact]:
    """The artifacts a step reads."""
    own = files.artifacts
    return {name: context.artifacts[source.step] if source.step else own[name] for name, source in step.inputs.items()}


async def attempt(
    context: RunContext, step: PlannedStep, number: int, key: str, work: Path, meanwhile: Callable[[], None]
) -> tuple[Artifact, Mapping[str, float]]:
    """Run a step and commit what it made: once, or again if a file of the user's was touched while it was read.

    Args:
        number: of the attempt, from 1.
        key: of the step with the settings in force; its series are kept under it.
        work: its work directory.
        meanwhile: called while it runs; what it raises ends the step.

    Raises:
        TunesmithError: why it failed; TS-RUN-025 when a file of the user's is not what it was when it was planned.
        Cancelled: it was asked to stop, and has.
    """
    for name, value, at in points_in(work):  # of an attempt whose host was killed
        context.journal.metric(key, name, at, value)
    for _ in range(READINGS):
        files = UserFiles(context, step)
        inputs = resolve_inputs(context, step, files)
        staging = context.store.stage()
        try:
            points = Points(context, step, number)
            result = await _work(context, step, Notifications(context, step, key, points), points, inputs, staging / FILES, work, meanwhile)
            _check(step, result, staging / FILES)
        except BaseException as error:
            context.store.discard(staging)
            if isinstance(error, TunesmithError) and not files.untouched():
                UserFiles(context, step)  # says so, if that is why
            raise
        if files.untouched():
            break
        context.store.discard(staging)
        shutil.rmtree(work, ignore_errors=True)  # it was made of what was read, too
        context.log(step.name, "warning", f"a file that `{step.name}` reads was touched meanwhile: it is read again")
    else:
        raise unsteady(step.name)
    artifact = context.store.commit(
        staging, format=result["format"] or step.format, refs=result["refs"], producer=producer(step), metrics=result["metrics"],
        inputs={name: artifact.digest for name, artifact in inputs.items()}, meta=result["meta"],
    )  # fmt: skip
    return artifact, result["metrics"]


async def _work(
    context: RunContext, step: PlannedStep, notifications: Notifications, points: Points, inputs: Mapping[str, Artifact], output: Path,
    work: Path, meanwhile: Callable[[], None],
) -> Mapping[str, Any]:  # fmt: skip
    meeting = context.store.staging.make() if step.placement.processes > 1 and not step.executor else None
    workers = make_workers(context, step, inputs, output, work, notifications, f"file://{meeting / 'rendezvous'}" if meeting else "")
    try:
        workers.start()
        while not workers.done:
            await turn()
            workers.tick()
            points.tell()
            meanwhile()
            if context.cancellation.requested:
                workers.cancel(STOP_TIMEOUT if step.executor else CANCEL_TIMEOUT)
            if context.cancellation.insisted:
                workers.kill()
        return workers.result()
    except TunesmithError as error:
        raise told(error, step, workers.ranks[0].stderr) from None
    finally:
        workers.close()
        points.tell(all_=True)
        if meeting:
            context.store.staging.drop(meeting)


def make_workers(
    context: RunContext, step: PlannedStep, inputs: Mapping[str, Artifact], output: Path, work: Path,
    notified: Callable[[str, Mapping[str, Any]], None], rendezvous: str = "",
) -> Workers:  # fmt: skip
    """The workers of a step, not started yet."""
    work.mkdir(parents=True, exist_ok=True)
    shared = {"cache": context.home / "cache", "roots": context.roots, "pipeline": context.plan.name}
    if step.executor:
        return Workers(handed_on(context, step, inputs, output, work, shared), context.starter, context.sockets, notified)
    requests = tuple(step_request(step, inputs, output, work, rank=rank, rendezvous=rendezvous, **shared) for rank in ranks_of(step))
    asked = Work(
        step.name, step.verb.target, requests, context.logs(step), start_of(context, step.recipe), work, secrets_of(step),
        0.0 if step.verb.service else context.hang_timeout,  # who serves waits to be asked
        _share(context, step),
    )  # fmt: skip
    return Workers(asked, context.starter, context.sockets, notified)


def _share(context: RunContext, step: PlannedStep) -> dict[str, str]:
    """The variables that keep each of a step's processes to its share of the machine."""
    ranks = max(1, step.placement.processes)
    threads = step.resources.threads or (0 if ranks == 1 or THREADS in os.environ else os.cpu_count() or 1)
    shared = {THREADS: str(max(1, threads // ranks))} if threads else {}
    return {**shared, **context.admission.variables(step.name, context.plan.machine.visible, os.environ)}


def told(error: TunesmithError, step: PlannedStep, log: Path) -> TunesmithError:
    """The error with what the worker could not know: where its traceback is, and whose environment it was."""
    if error.code == "TS-RUN-010":
        return TunesmithError(error.code, error.what, why=error.why, fix=f"The traceback is in {log}.")
    if error.code == "TS-RUN-011" and step.recipe:
        fix = f"Its environment {step.lock} holds what the plugin asks for: the plugin's author has to ask for this, too."
        return TunesmithError(error.code, error.what, why=error.why, fix=fix)
    return error


def _check(step: PlannedStep, result: Mapping[str, Any], output: Path) -> None:
    made = result["format"] or step.format
    if made != step.format:
        problem = f"made {made} where {step.format} was planned"
    elif not any(output.iterdir()):
        problem = "wrote no file"
    else:
        return
    raise TunesmithError(
        "TS-RUN-016", f"`{step.name}` {problem}", why="Its code and its manifest disagree.",
        fix=f"Tell the author of {producer(step)['distribution']}.",
    )  # fmt: skip
