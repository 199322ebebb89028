"""What the ranks of the kit's jobs do, wherever an executor has them run: standard library and the kernel only.

They tell of themselves in files of the step's work directory, which all machines of a job see.
"""

from __future__ import annotations

import os
import secrets
import signal
import time

from tunesmith.contracts import Result, Step, UserError

BEAT = 0.05  # seconds between two signs of life
TOGETHER = 20.0  # seconds for the other ranks to come
LONGEST = 120.0  # seconds that a rank goes on which nobody ends
CODE = "KIT-001"  #: of the error that a rank raises


def report(step: Step) -> Result:
    """Say something in each way that there is, and make a file."""
    step.metric("square", 9.0, 3)
    step.decide("count", "it can")
    step.log("counted", "notice")
    (step.output / "numbers.txt").write_text("1 4 9\n")
    meta = {"said": os.environ.get("SAID"), "niceness": os.nice(0)}
    return Result(format="numbers/plain", metrics={"last": 9.0}, meta=meta)


def meet(step: Step) -> Result:
    """Come to an end only together."""
    place = step.placement
    (step.work / f"here-{place.rank}").touch()
    until = time.monotonic() + TOGETHER
    while (there := len(list(step.work.glob("here-*")))) < place.processes:
        if time.monotonic() > until:
            raise TimeoutError(f"{there} of {place.processes} ranks came in {TOGETHER:.0f} s")
        step.check_cancelled()
        time.sleep(BEAT)
    return Result(format="numbers/plain", meta={"rank": place.rank})


def fail(step: Step) -> Result:
    """The last rank raises, or is killed where the fact `how` says so."""
    if step.placement.rank == step.placement.processes - 1:
        if step.facts["how"] == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise UserError(CODE, "a row is wrong", fix="Right it.")
    step.wait_cancelled(TOGETHER)
    return Result()


def beat(step: Step) -> Result:
    """Write a name of its own into `beats`, again and again, until it is asked to stop or there is a file `enough`."""
    name, until = secrets.token_hex(4), time.monotonic() + LONGEST
    while not (step.work / "enough").exists() and time.monotonic() < until:
        step.check_cancelled()
        with open(step.work / "beats", "a", encoding="utf-8") as file:
            file.write(name + "\n")
        time.sleep(BEAT)
    (step.output / "numbers.txt").write_text("1 4 9\n")
    return Result(format="numbers/plain")
