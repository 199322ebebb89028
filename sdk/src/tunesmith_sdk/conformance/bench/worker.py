"""What the kit's workers run. Outcomes are lines of a file, so that those made before a crash are known after it."""

from __future__ import annotations

import contextlib
import json
import time
import traceback
from pathlib import Path
from typing import Any, cast

from tunesmith.contracts import Cancelled, Result, Step
from tunesmith.isolation.error_conversion import coded
from tunesmith.isolation.provider_import import load
from tunesmith_sdk.conformance import catalog
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.checks import CHECKS, CheckFailed, NotRun, make

OUTCOMES = "outcomes.jsonl"
ENTERED, STOPPED, AGAIN = "the provider is at work", "the provider has stopped", "the provider is at work again"
PATIENCE = 60.0  # seconds for the host to ask
CHECKING = "checking "  #: before the id of a check that is begun


def checks(step: Step) -> Result:
    """Make the checks that the request lists, one after the other."""
    subject = Subject(step, step.settings)
    catalog.load_in_worker(subject.record.kind, subject.request.brought())
    with open(step.output / OUTCOMES, "a", encoding="utf-8") as file:

        def note(**line: Any) -> None:
            file.write(json.dumps(line) + "\n")
            file.flush()

        for id in step.settings.checks:
            note(id=id, state="started")
            step.log(CHECKING + id)
            started = time.perf_counter()
            note(id=id, **outcome_of(subject, id), seconds=round(time.perf_counter() - started, 3))
    return Result()


def outcome_of(subject: Subject, id: str) -> dict[str, Any]:
    """Make one check: its state, what there is to say, and what it notes."""
    subject.notes = {}
    said = _tried(subject, id)
    return said | ({"notes": subject.notes} if subject.notes else {})


def _tried(subject: Subject, id: str) -> dict[str, Any]:
    try:
        make(CHECKS[id], subject)
    except CheckFailed as error:
        return {"state": "failed", **error.told()}
    except NotRun as error:
        return {"state": "not run", "what": error.reason, "fix": error.where}
    except Cancelled:
        raise
    except BaseException as error:
        traceback.print_exc()
        why = coded(error)
        last = traceback.extract_tb(error.__traceback__)[-1]
        return {
            "state": "failed", "what": f"{why.code}: {why.what}", "found": f"raised in {last.filename}:{last.lineno}", "fix": why.fix,
        }  # fmt: skip
    return {"state": "passed"}


def act(step: Step) -> Result | None:
    """The provider's usual work: what cancelling and killing are tried on. Where the request says so, first until it is asked to stop,
    and then again, in the work directory that is named."""
    subject = Subject(step, step.settings)
    catalog.load_in_worker(subject.record.kind, subject.request.brought())
    action = catalog.ACTIONS[subject.record.kind]
    load(subject.record.target, subject.record.distribution)
    if step.settings.extra.get("heavy"):  # a cancel that meets an import says nothing of the provider's own work
        catalog.WARM[subject.record.kind](subject)
    killed = step.settings.extra.get("again")
    if killed:  # one process for both: what it imports takes longer than the work
        with contextlib.suppress(Cancelled):
            step.progress(0, 1, what=ENTERED)
            action(subject)
        step.wait_cancelled(PATIENCE)  # of work that was done before it was asked to stop
        cast(Any, step).cancelled.clear()
        step.progress(0, 1, what=STOPPED)
        subject = subject.elsewhere(Path(killed))
    step.progress(0, 1, what=AGAIN if killed else ENTERED)
    return action(subject)
