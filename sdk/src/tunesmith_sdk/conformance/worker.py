"""What the kit's workers run. Outcomes are lines of a file, so that those made before a crash are known after it."""

from __future__ import annotations

import json
import time
import traceback
from typing import Any

from tunesmith.contracts import Cancelled, Result, Step
from tunesmith.isolation.failures import coded
from tunesmith.isolation.loading import load
from tunesmith_sdk.conformance import catalog
from tunesmith_sdk.conformance.checks import CHECKS, CheckFailed, NotRun
from tunesmith_sdk.conformance.subject import Subject

OUTCOMES = "outcomes.jsonl"
ENTERED = "the provider is at work"
CHECKING = "checking "  #: before the id of a check that is begun


def checks(step: Step) -> Result:
    """Make the checks that the request lists, one after the other."""
    subject = Subject(step, step.settings)
    catalog.load(host=False)
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


def outcome_of(subject: Subject, id: str) -> dict[str, str]:
    """Make one check: its state, and what there is to say."""
    try:
        CHECKS[id].function(subject)
    except CheckFailed as error:
        return {"state": "failed", "what": error.what, "found": error.found, "fix": error.fix}
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
    """The provider's usual work, once: what cancelling and killing are tried on."""
    catalog.load(host=False)
    subject = Subject(step, step.settings)
    action = catalog.ACTIONS[subject.record.kind]
    load(subject.record.target, subject.record.distribution)
    if step.settings.extra.get("heavy"):  # a cancel that meets an import says nothing of the provider's own work
        catalog.WARM[subject.record.kind](subject)
    step.progress(0, 1, what=ENTERED)
    step.log(ENTERED)
    return action(subject)
