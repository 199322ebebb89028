"""What planning asks of a plugin: answered by a worker, as steps are, so that nothing of a plugin is imported by the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.executor import Executor
from tunesmith.errors import TunesmithError
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.cancelling import Cancellation
from tunesmith.running.home_folder import PRIVATE
from tunesmith.running.logs import tail
from tunesmith.running.requests import secrets_of, step_request
from tunesmith.running.staging import Staging
from tunesmith.running.switchboard import Switchboard
from tunesmith.running.workers import Work, Workers


class Crashed(Exception):
    """The worker died; the message says how, with the end of what it printed."""


def ask(
    step: PlannedStep, entry: str, cache: Path, executor: Executor, hear: Callable[[str, Mapping[str, Any]], None],
    inputs: Mapping[str, Artifact] | None = None, **more: Any,
) -> Mapping[str, Any]:  # fmt: skip
    """The `meta` of what ``module:function`` answers when it is called with the step.

    Args:
        cache: the user's; the worker works in a folder of it, so that a question leaves nothing in a project.
        hear: told of the worker's notifications.
        more: see `step_request`.

    Raises:
        TunesmithError: what the function raised.
        Crashed: when it came to no end.
    """
    root = cache / "questions"
    root.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    staging = Staging(root)
    staging.sweep()
    directory = staging.make()
    for name in ("output", "work"):
        (directory / name).mkdir()
    request = step_request(step, inputs or {}, directory / "output", directory / "work", **more)
    board = Switchboard()
    work = Work(step.name, entry, (request,), directory / "logs", directory=directory / "work", secrets=secrets_of(step))
    workers = Workers(work, executor, board, hear)
    cancellation = Cancellation()
    try:
        with cancellation.by_signals():
            workers.start()
            while not workers.done:
                board.pump(0.1)
                workers.tick()
                cancellation.check()
        meta: Mapping[str, Any] = workers.result()["meta"]
        return meta
    except TunesmithError as error:
        if error.code != "TS-RUN-010":
            raise
        said = " | ".join(tail(workers.ranks[0].stderr, 4))  # its log goes with the directory
        raise Crashed(f"{error.what}. {said}") from None
    finally:
        workers.close()
        board.close()
        staging.drop(directory)
