"""An endpoint for as long as somebody talks to it: a pipeline that ends in a service, run in a thread beside them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tunesmith.errors import TunesmithError
from tunesmith_cli.display import reporting
from tunesmith_cli.launch import Session

if TYPE_CHECKING:
    from tunesmith.planning.plan import Plan, PlannedStep
    from tunesmith.running.outcome import RunOutcome
    from tunesmith.running.reporter import Reporter


@contextmanager
def endpoint(session: Session, plan: Plan) -> Iterator[Mapping[str, Any]]:
    """The facts (``url``, ``model``) of the service at the plan's end, which is stopped afterwards.

    How it starts is told on stderr: stdout belongs to the answers.

    Raises:
        TunesmithError: why it did not come up.
    """
    from tunesmith.running.runner import Runner

    outcomes: list[RunOutcome | BaseException] = []
    with reporting(stream=sys.stderr) as reporter:
        awaited = _Awaited(reporter)
        runner = Runner(plan, session.registry, session.config, reporter=awaited)  # type: ignore[arg-type]

        def carry_out() -> None:
            try:
                outcomes.append(runner.run())
            except BaseException as error:
                outcomes.append(error)
            finally:
                awaited.ready.set()

        thread = threading.Thread(target=carry_out, name="run")
        thread.start()
        try:
            while not awaited.ready.wait(0.5):
                pass
            if outcomes:
                raise _why(outcomes[0])
            yield awaited.facts
        finally:
            while thread.is_alive():
                runner.cancel()
                with suppress(KeyboardInterrupt):  # another Ctrl-C insists
                    thread.join()


class _Awaited:
    """The reporter, up to the moment when the endpoint answers; what comes then would only disturb the conversation."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.ready = threading.Event()
        self.facts: Mapping[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return (lambda *_, **__: None) if self.ready.is_set() else getattr(self._reporter, name)

    def service_ready(self, step: PlannedStep, facts: Mapping[str, Any], foreground: bool) -> None:
        if foreground:
            self._reporter.close()  # type: ignore[attr-defined]
            self.facts = facts
            self.ready.set()

    def run_finished(self, outcome: RunOutcome) -> None:
        pass  # an error is the caller's to tell


def _why(outcome: RunOutcome | BaseException) -> BaseException:
    if isinstance(outcome, BaseException):
        return outcome
    return outcome.error or TunesmithError(
        "TS-CLI-016",
        "the endpoint ended too early",
        why=f"The run is {outcome.state}.",
        fix=f"See `tunesmith runs logs {outcome.run}`.",
    )
