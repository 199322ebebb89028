"""Checks of executors: a job that is carried out by all of its ranks, is heard, is stopped everywhere, and is found again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from tunesmith.contracts import Result
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith_sdk.conformance.bench.job import JobBench
from tunesmith_sdk.conformance.bench.job_ranks import CODE
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, check

LIMIT = 120.0  # seconds for a job that does next to nothing to come as far as it should
STILL = 1.0  # seconds in which nobody may beat


@action("executor")
def work(subject: Subject) -> Result:
    """Have a job of one rank carried out."""
    bench = JobBench(subject, "report")
    bench.cancelled = subject.step.cancelled  # type: ignore[attr-defined]
    return bench.run()


@observer("executor")
def observe(subject: Subject) -> dict[str, Any]:
    """What a job of one rank returns and reports of what it does."""
    bench = JobBench(subject, "report")
    result = bench.run()
    told = [one for one in bench.told if one[0] in ("$/metric", "$/decision")]
    return {"result": result.metrics, "meta": result.meta, "told": told}


def _until(true: Callable[[], bool], what: str, seconds: float = LIMIT) -> None:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise CheckFailed(f"{what} in {seconds:.0f} s", fix="Look at what the job's processes print.")
        time.sleep(0.05)


@check("executor.carries-out", kind="executor", title="a job's result, its files, its reports and its variables are as without an executor")
def carries_out(subject: Subject) -> Iterator[CheckFailed]:
    bench = JobBench(subject, "report")
    result = bench.run()
    if (result.format, dict(result.metrics)) != ("numbers/plain", {"last": 9.0}):
        yield CheckFailed(f"rank 0's result arrives as {result}", fix="Return what rank 0 returned.")
    if result.meta.get("said") != "yes":
        yield CheckFailed("a variable of `environment` does not reach the rank", fix="Set `job.environment` where the rank starts.")
    if not (bench.output / "numbers.txt").exists():
        yield CheckFailed("what the rank wrote is not where its step's `output` says", fix="Leave the step's paths as they are.")
    told = [method for method, _ in bench.told]
    missing = [method for method in ("$/metric", "$/decision", "$/log") if method not in told]
    if missing:
        yield CheckFailed(f"{', '.join(missing)} of rank 0 is not passed on", fix="Give `report` what rank 0 reports.")


@check("executor.gathers-ranks", kind="executor", title="the ranks of a job run at the same time, and the result is rank 0's")
def gathers(subject: Subject) -> None:
    result = JobBench(subject, "meet", ranks=2).run()
    if result.meta.get("rank") != 0:
        raise CheckFailed(f"the result is that of rank {result.meta.get('rank')}", fix="Return what rank 0 returned.")


@check("executor.tells-failures", kind="executor", title="what a rank raises is raised, and a rank that dies is an error of the step")
def tells_failures(subject: Subject) -> Iterator[CheckFailed]:
    for how, wanted in (("raises", CODE), ("killed", "TS-RUN-013")):
        found = _error(JobBench(subject, "fail", ranks=2, facts={"how": how}))
        if found != wanted:
            yield CheckFailed(f"the last of two ranks {how}: that is told as {found}", fix=f"Raise the rank's own error ({wanted}).")


def _error(bench: JobBench) -> str:
    try:
        bench.run()
    except TunesmithError as error:
        return error.code
    return "no error"


@check("executor.stops-all", kind="executor", title="asked to stop, it has the job stopped wherever it runs, and raises `Cancelled`")
def stops_all(subject: Subject) -> None:
    bench = JobBench(subject, "beat", ranks=2)
    stopped: list[str] = []

    def stop() -> None:
        try:
            _until(lambda: len(set(bench.beats())) == 2, "two ranks did not begin")
        except CheckFailed as failed:
            stopped.append(str(failed))
        bench.cancelled.set()

    threading.Thread(target=stop, daemon=True).start()
    try:
        bench.run()
    except Cancelled:
        pass
    else:
        raise CheckFailed("asked to stop, it returns a result", fix="Raise `Cancelled` once nothing of the job runs any more.")
    if stopped:
        raise CheckFailed(stopped[0], fix="Start all ranks of a job.")
    _still(bench)


def _still(bench: JobBench) -> None:
    before = len(bench.beats())
    time.sleep(STILL)
    if after := len(bench.beats()) - before:
        (bench.work / "enough").touch()
        raise CheckFailed(f"the job is said to be over, and its ranks go on ({after} signs of life)", fix="End all of its processes first.")


@check("executor.finds-again", kind="executor", title="a job whose launcher is killed is found again, or started anew once it has ended")
def finds_again(subject: Subject) -> None:
    bench = JobBench(subject, "beat")
    launcher = bench.launch()
    try:
        _until(lambda: bool(bench.beats()) or launcher.poll() is not None, "no rank began")
    finally:
        launcher.kill()
        launcher.wait()
    before = len(bench.beats())
    threading.Thread(target=lambda: (_go_on(bench, before), (bench.work / "enough").touch()), daemon=True).start()
    result = bench.run()
    if result.format != "numbers/plain" or not (bench.output / "numbers.txt").exists():
        raise CheckFailed(
            f"the second launcher of a job returns {result}", fix="Return the result of the job that was found, or of a new one."
        )
    turns = [name for name, _ in groupby(bench.beats())]
    if len(turns) != len(set(turns)):
        raise CheckFailed("two tries at a job ran beside each other", fix="Start it anew only once nothing of the first try can run.")


def _go_on(bench: JobBench, before: int) -> None:
    until = time.monotonic() + LIMIT
    while len(bench.beats()) < before + 20 and time.monotonic() < until:
        time.sleep(0.05)
