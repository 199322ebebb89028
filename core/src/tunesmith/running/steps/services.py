"""Services of a run: endpoints that live while somebody needs them."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.cache_files import write_note
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.run_context import RunContext
from tunesmith.running.steps.attempt import make_workers, resolve_inputs, told
from tunesmith.running.steps.user_files import UserFiles
from tunesmith.running.worker.notifications import Notifications
from tunesmith.running.worker.processes import Workers

POLL = 0.1
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

    def cancel(self) -> None:
        """Ask it to stop. It has its own `shutdown_grace` for its requests, then `END_TIMEOUT`."""
        shutdown_grace = self.step.settings.get("shutdown_grace")
        self.workers.cancel(SHUTDOWN_GRACE if shutdown_grace is None else shutdown_grace + END_TIMEOUT)


class Services:
    """Started when needed, stopped when no longer. Their logs and reports are heard whenever the sockets are pumped."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._running: dict[str, Service] = {}

    @property
    def names(self) -> list[str]:
        """Steps whose services are up."""
        return list(self._running)

    def endpoint(self, step: PlannedStep, key: str) -> Artifact:
        """The endpoint of a service step, started if it is not up; returns when it answers.

        Raises:
            TunesmithError: why it did not come up.
        """
        service = self._running.get(step.name) or self._start(step, key)
        while service.facts is None:
            self._context.sockets.pump(POLL)
            self.check()
            if self._context.cancellation.requested:
                self.stop(step.name)
                raise Cancelled(step.name)
        return Artifact(step.format, service.directory, key, refs=service.refs, meta=dict(service.facts))

    def _start(self, step: PlannedStep, key: str) -> Service:
        context = self._context
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

    def check(self) -> None:
        """Look after the processes.

        Raises:
            TunesmithError: TS-RUN-015 when one has ended by itself.
        """
        for service in list(self._running.values()):
            service.workers.tick()
            if service.workers.done:
                self._ended(service)

    def blame(self) -> None:
        """After a reader has failed: raise the reason of a service that ended, for that is the reader's reason, too."""
        until = time.monotonic() + BLAME
        while self._running and time.monotonic() < until:
            self._context.sockets.pump(POLL)
            self.check()

    def _ended(self, service: Service) -> None:
        try:
            service.workers.result()
            log = service.workers.ranks[0].stderr
            raise TunesmithError("TS-RUN-015", f"The service `{service.step.name}` ended by itself", fix=f"Its output is in {log}.")
        except TunesmithError as error:
            raise told(error, service.step, service.workers.ranks[0].stderr) from None
        finally:
            self._forget(service)

    def stop(self, name: str) -> None:
        """Ask a service to stop, wait for its requests, then end it."""
        if (service := self._running.get(name)) is None:
            return
        service.cancel()
        while not service.workers.done:
            self._context.sockets.pump(POLL)
            service.workers.tick()
            if self._context.cancellation.insisted:
                service.workers.kill()
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

    def stop_all(self) -> None:
        """Ask all to stop at the same time, and wait until they have."""
        for service in self._running.values():
            service.cancel()
        for name in self.names:
            self.stop(name)

    def kill_all(self) -> None:
        """End all at once, on the way out of a failure."""
        for service in list(self._running.values()):
            service.workers.kill(0.0)
            self._forget(service)
