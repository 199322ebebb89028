"""Checks of every provider as a step: it stops when asked, and its death is nobody else's."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tunesmith_sdk.conformance.author_functions import KEPT, given, missing
from tunesmith_sdk.conformance.bench.bench import Bench
from tunesmith_sdk.conformance.bench.worker_process import Ending, Running
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check
from tunesmith_sdk.conformance.hosted.processes import command, family_of, left_of
from tunesmith_sdk.conformance.kinds.trainer_strategy import can_train

START = 120.0  # seconds for a worker to import what the provider needs
PATIENCE = 5.0  # seconds from the request to the end
TRIES = 3  # where the machine was too busy to tell
MIDDLE = 0.5  # seconds that it may work before it is asked to stop or killed; less if it has put something into its work directory
DEATH = 10.0  # seconds for a death to show, and for what the worker has started to be gone


def entered(worker: Running) -> None:
    """Wait until the provider is at work.

    Raises:
        CheckFailed: it never was.
    """
    if not worker.until(lambda: worker.entered or worker.ready is not None, START):
        error = worker.error() if worker.done else None
        raise CheckFailed(
            f"the provider never came to its work: {error or f'nothing happened for {START:.0f} s'}", found=worker.last_words(),
            fix=error.fix if error else "",
        )  # fmt: skip


@contextmanager
def _begun(bench: Bench) -> Iterator[tuple[Running, Path]]:
    """A worker at its usual work, and where: the one that has heeded a cancel and began again, if there is one."""
    if bench.stopped and not bench.stopped[0].done:
        yield bench.stopped
    else:
        work = bench.folder("killed")
        with bench.acting(work=work) as worker:
            yield worker, work


def in_the_middle(worker: Running, work: Path) -> None:
    """Wait until the provider has been at work for a moment, or has put something into its work directory."""
    entered(worker)
    worker.until(lambda: any(path.name != KEPT for path in work.iterdir()), MIDDLE)


def _under_way(bench: Bench) -> None:
    """What the usual work needs must be there.

    Raises:
        NotRun: it can't be had.
    """
    record = bench.record
    if record.kind in ("exporter", "quantizer", "inference_backend"):
        bench.source()
    if record.kind == "trainer_strategy":
        can_train(bench.declared.author)
    bench.composed()
    if record.kind == "model_loader" and "file" not in record.facts.get("schemes", ()) and "uri" not in given(bench.declared.author):
        raise missing("uri")


@check("step.cancels", title="asked to stop, it has stopped within 5 seconds", level="bronze", at="host")
def cancels(bench: Bench) -> None:
    _under_way(bench)
    for _ in range(TRIES):
        work, again = bench.folder("cancelled"), bench.folder("again") if bench.repeats else None
        with ExitStack() as stack:
            worker = stack.enter_context(bench.acting(work=work, again=again))
            in_the_middle(worker, work)
            worker.cancel()
            if in_time(worker.ending(PATIENCE), worker):
                if again and not worker.done:
                    bench.stopped = (worker, again)
                    bench.stack.enter_context(stack.pop_all())
                return
    raise NotRun(
        f"{TRIES} times it stopped later than after {PATIENCE:.0f} s, for want of a processor for so long that it may not be its fault",
        where="a machine that is less busy",
    )  # fmt: skip


def in_time(ending: Ending, worker: Running) -> bool:
    """Whether a worker that was asked to stop has stopped in time. By the clock: only if that has run out does it count that the machine
    was busy, and then it is not known.

    Raises:
        CheckFailed: it has not, and had the time.
    """
    error = worker.error()
    if error:
        raise CheckFailed(
            f"asked to stop, it fails after {ending.seconds:.1f} s: {error}", found=error.why,
            fix="Let `Cancelled` pass through, and clean up in `finally`.",
        )  # fmt: skip
    if ending.seconds - ending.starved > PATIENCE:
        raise CheckFailed(
            f"asked to stop, it still works after {PATIENCE:.0f} s", found=worker.last_words(),
            fix="Call `step.check_cancelled()` at least once a second, and give waits a limit.",
        )  # fmt: skip
    return ending.done and ending.seconds <= PATIENCE


@check(
    "step.crash-contained",
    title="killed in the middle, it leaves no process behind, and the host gets a coded error",
    level="bronze",
    at="host",
)
def crash_contained(bench: Bench) -> None:
    _under_way(bench)
    with _begun(bench) as (worker, work):
        in_the_middle(worker, work)
        family = family_of(worker.pids)
        for pid in worker.pids:
            os.kill(pid, signal.SIGKILL)
        if not worker.until(lambda: worker.done, DEATH):
            raise CheckFailed("its worker was killed, and goes on", fix="Start no process that takes the worker's place.")
    if left := left_of(family, DEATH):
        raise CheckFailed(
            f"processes of it go on after its worker is dead: {', '.join(map(command, left))}",
            fix="Leave what a process starts in the worker's process group, with the worker's variables.",
        )  # fmt: skip
    bench.killed = str(work)
