"""Services of a run: endpoints that live while somebody needs them."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.cache_files import write_note
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.run_context import RunContext
from tunesmith.running.steps.attempt import make_workers, resolve_inputs, told
from tunesmith.running.steps.user_files import UserFiles
from tunesmith.running.turns import turn
from tunesmith.running.worker.notifications import Notifications
from tunesmith.running.worker.processes import Workers

SHUTDOWN_GRACE = 10.0  # seconds for requests that are under way, where the service has no setting `shutdown_grace`
END_TIMEOUT = 20.0  # seconds beyond `shutdown_grace` for the service's own end, and that of what it has started
BLAME = 0.5  # seconds for a death to show


@dataclasses.dataclass
class Service:
    """A service that was started."""

    step: PlannedStep
    workers: Workers
    directory: Path
    refs: Mapping[str, Artifact]
    facts: Mapping[str, Any] | None = None
    stopping: bool = False

    def cancel(self) -> None:
        """Ask it to stop. It has its own `shutdown_grace` for its requests, then `END_TIMEOUT`."""
        shutdown_grace = self.step.settings.get("shutdown_grace")
        self.workers.cancel(SHUTDOWN_GRACE if shutdown_grace is None else shutdown_grace + END_TIMEOUT)


class Services:
    """Started when needed, stopped when no longer. Their logs and reports are heard whenever the sockets are pumped."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._running: dict[str, Service] = {}
        self._failed: dict[str, TunesmithError] = {}  # those that ended by themselves

    @property
    def names(self) -> list[str]:
        """Steps whose services are up."""
        return list(self._running)

    async def endpoint(self, step: PlannedStep, key: str) -> Artifact:
        """The endpoint of a service step, started if it is not up; returns when it answers.

        Raises:
            TunesmithError: why it did not come up.
        """
        while (service := self._running.get(step.name)) and service.stopping:
            await turn()
        service = service or self._start(step, key)
        while service.facts is None:
            await turn()
            self.check([step.name])
            if self._context.cancellation.requested:
                await self.stop(step.name)
                raise Cancelled(step.name)
        return Artifact(step.format, service.directory, key, refs=service.refs, meta=dict(service.facts))

    def _start(self, step: PlannedStep, key: str) -> Service:
        context = self._context
        if self._failed.pop(step.name, None):
            context.log(step.name, "warning", f"`{step.name}` had ended by itself: it is started again")
        inputs = resolve_inputs(context, step, UserFiles(context, step))
        context.events.step_starting(context.facts(step))
        context.journal.begin_step(context.run.id, step.name, key, 1)
        context.reporter.step_started(step, 1)
        directory = context.store.staging.make()
        (directory / "output").mkdir()

        notifications = Notifications(context, step, key)

        def notified(method: str, params: Mapping[str, Any]) -> None:
            if method == "$/ready":
                service.facts = context.endpoints[step.name] = params
                write_note(self._note(step), {"pid": os.getpid(), "facts": dict(params)})
            else:
                notifications(method, params)

        workers = make_workers(context, step, inputs, directory / "output", directory / "work", notified)
        # what an endpoint refers to is the model behind it, so that whoever asks the endpoint has its tokenizer
        served = {name: artifact for name, artifact in inputs.items() if name == "model"}
        service = self._running[step.name] = Service(step, workers, directory, served)
        workers.start()
        return service

    def tick(self) -> None:
        """Look after the processes."""
        for service in list(self._running.values()):
            service.workers.tick()
            if service.workers.done and not service.stopping:
                self._failed[service.step.name] = self._ended(service)

    def check(self, names: Collection[str] = ()) -> None:
        """
        Raises:
            TunesmithError: TS-RUN-015, or what its worker said, when one of these has ended by itself; of all, where none is named.
        """
        for name in names or list(self._failed):
            if name in self._failed:
                raise self._failed[name]

    async def blame(self, names: Collection[str]) -> None:
        """After a reader of these has failed: raise the reason of one that ended, for that is the reader's reason, too."""
        until = time.monotonic() + BLAME
        while any(name in self._running for name in names) and time.monotonic() < until:
            await turn()
            self.check(names)

    def _ended(self, service: Service) -> TunesmithError:
        log = service.workers.ranks[0].stderr
        try:
            service.workers.result()
            return TunesmithError("TS-RUN-015", f"The service `{service.step.name}` ended by itself", fix=f"Its output is in {log}.")
        except TunesmithError as error:
            return told(error, service.step, log)
        finally:
            self._forget(service)

    async def stop(self, name: str) -> None:
        """Ask a service to stop, wait for its requests, then end it. Who asks as well meanwhile waits for the same end."""
        if (service := self._running.get(name)) is None:
            return
        if not service.stopping:
            service.stopping = True
            service.cancel()
        while not service.workers.done:
            await turn()
            if self._context.cancellation.insisted:
                service.workers.kill()
        if self._running.get(name) is service:
            self._forget(service)
            self._context.reporter.service_stopped(service.step)

    def _forget(self, service: Service) -> None:
        self._running.pop(service.step.name, None)
        self._note(service.step).unlink(missing_ok=True)
        service.workers.close()
        shutil.rmtree(service.directory, ignore_errors=True)
        self._context.store.staging.drop(service.directory)

    def _note(self, step: PlannedStep) -> Path:
        """Where other processes of this home read that a service answers, and at which address; there for as long as it does."""
        return self._context.run.directory / "endpoints" / f"{step.name}.json"

    async def stop_all(self) -> None:
        """Ask all to stop at the same time, and wait until they have."""
        for service in self._running.values():
            service.stopping = True
            service.cancel()
        for name in self.names:
            await self.stop(name)

    def kill_all(self) -> None:
        """End all at once, on the way out of a failure."""
        for service in list(self._running.values()):
            service.workers.kill(0.0)
            self._forget(service)
