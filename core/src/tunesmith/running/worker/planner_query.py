"""What planning asks of a plugin: answered by a worker, as steps are, so that nothing of a plugin is imported by the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.kinds.input_reader import FILE, WorkerDied
from tunesmith.contracts.worker_process import Starter
from tunesmith.errors import TunesmithError
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.cancellation import Cancellation
from tunesmith.running.home_permissions import PRIVATE
from tunesmith.running.reporter import Reporter, Silent
from tunesmith.running.store.staging import Staging
from tunesmith.running.worker.local_starter import LocalStarter
from tunesmith.running.worker.logs import tail
from tunesmith.running.worker.processes import Work, Workers
from tunesmith.running.worker.selector import SocketSelector
from tunesmith.running.worker.step_request import secrets_of, step_request


class Questions:
    """Callable: a step -> the `meta` of what its verb's target answers when it is called with it.

    Args:
        cache: the user's; the worker works in a folder of it, so that a question leaves nothing in a project.
        roots: see `Step.roots`.
        reporter: told of the worker's progress and log.
        starter: where the worker starts; this machine if left out.
    """

    def __init__(self, cache: Path, roots: Sequence[Path] = (), reporter: Reporter | None = None, starter: Starter | None = None) -> None:
        self._cache, self._roots, self._reporter, self._starter = cache, roots, reporter or Silent(), starter or LocalStarter()

    def __call__(self, step: PlannedStep, files: Mapping[str, Path] = MappingProxyType({}), *, refresh: bool = False) -> Mapping[str, Any]:
        """
        Args:
            files: what the step reads.

        Raises:
            TunesmithError: what the function raised.
            WorkerDied: when it came to no end.
        """

        def hear(method: str, params: Mapping[str, Any]) -> None:
            if method == "$/progress":
                self._reporter.progress(step.name, params["what"], params["done"], params["total"], params["unit"])
            elif method == "$/log":
                self._reporter.log(step.name, params["level"], params["message"])

        inputs = {name: Artifact(FILE, path) for name, path in files.items()}
        return _ask(step, self._cache, self._starter, hear, inputs, refresh=refresh, roots=self._roots)


def _ask(
    step: PlannedStep, cache: Path, starter: Starter, hear: Callable[[str, Mapping[str, Any]], None], inputs: Mapping[str, Artifact],
    **more: Any,
) -> Mapping[str, Any]:  # fmt: skip
    root = cache / "questions"
    root.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    staging = Staging(root)
    staging.sweep()
    directory = staging.make()
    for name in ("output", "work"):
        (directory / name).mkdir()
    request = step_request(step, inputs, directory / "output", directory / "work", **more)
    sockets = SocketSelector()
    work = Work(step.name, step.verb.target, (request,), directory / "logs", directory=directory / "work", secrets=secrets_of(step))
    workers = Workers(work, starter, sockets, hear)
    cancellation = Cancellation()
    try:
        with cancellation.by_signals():
            workers.start()
            while not workers.done:
                sockets.pump(0.1)
                workers.tick()
                cancellation.check()
        meta: Mapping[str, Any] = workers.result()["meta"]
        return meta
    except TunesmithError as error:
        if error.code != "TS-RUN-010":
            raise
        said = " | ".join(tail(workers.ranks[0].stderr, 4))  # its log goes with the directory
        raise WorkerDied(f"{error.what}. {said}") from None
    finally:
        workers.close()
        sockets.close()
        staging.drop(directory)
