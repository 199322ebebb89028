"""An endpoint for as long as somebody talks to it: a pipeline that ends in a service, run in a thread beside them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import TunesmithError, UserError
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


def served_step(source: str, file: str | None = None, backend: str = "auto") -> AbstractContextManager[Mapping[str, Any]]:
    """The facts of the endpoint that a step is, or of one that serves what the step made.

    Args:
        source: the step: of the pipeline `file`, else of an earlier command, else of the pipeline here.
        backend: the inference backend, where the step does not serve by itself.

    Raises:
        UserError: TS-CLI-004 when nothing that serves is installed; TS-CLI-008 when there is no such step.
    """
    from tunesmith_cli.options.earlier_step import Earlier

    session = Session.open(beside=[Path(file)] if file else [])
    earlier = Earlier.find(session, file, [source])
    verb = serving_verb(session)
    if verb in earlier.steps.get(source, {}):
        data = {"name": source, **({"model": earlier.model} if earlier.model else {}), "steps": dict(earlier.steps)}
    else:
        data = earlier.with_step("chat", {verb: backend, "from": source})
    return endpoint(session, planned(session, data))


def serving_verb(session: Session) -> str:
    """The name of the verb that serves.

    Raises:
        UserError: TS-CLI-004 when none is installed.
    """
    verb = next((v for v in session.registry.providers("verb").values() if v.service), None)
    if verb is None:
        raise UserError("TS-CLI-004", "no verb that serves is installed", fix="Install a backend: pip install 'tunesmith[serve]'")
    return verb.name


def planned(session: Session, data: Mapping[str, Any]) -> Plan:
    """The plan of a pipeline that is written here."""
    from tunesmith.planning.pipeline.spec import PipelineSpec

    return session.plan(PipelineSpec.from_mapping(data, Path.cwd(), name="chat"))


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
