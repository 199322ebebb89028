"""Ranks that wait for each other for ever: a step of several that says nothing and does nothing is over, and its stacks say why.

One rank that a signal has stopped is told of after `STOPPED` seconds. All ranks together are told of when, over the whole timeout, none has
reported anything and none has computed, read or written. Who loads, computes or compiles for an hour is left alone, so no step is too slow
for this; waiting that keeps a processor busy (on a GPU, say) is not seen here, and ends by the timeouts of the libraries that wait.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from tunesmith.contracts.worker_process import Activity
from tunesmith.errors import TunesmithError
from tunesmith.running.worker.rank import Rank
from tunesmith.running.worker.stacks import dumped, innermost

STOPPED = 10.0  # seconds for which a rank may be stopped
_QUIET = 5.0  # seconds without a report after which it is looked at what ranks do: ranks that report are not looked at
_EVERY = 0.5  # seconds at least between two looks
_BUSY = 0.02  # of a processor, by which a rank that works is told from one that looks every now and then whether another is there
_READING = 2**20  # bytes from or to disks in the whole time


class HangDetection:
    """Of the ranks of one step. Ask `found` every now and then.

    Args:
        timeout: seconds in which ranks that do nothing are taken for hanging; 0: never. It holds for a stopped one, too, if it is less.
    """

    def __init__(self, step: str, ranks: Sequence[Rank], timeout: float) -> None:
        self._step, self._ranks, self._timeout = step, ranks, timeout
        self._quiet = min(_QUIET, timeout / 3)
        self._looked = self._since = 0.0
        self._before: list[Activity] = []
        self._stopped: dict[int, float] = {}

    def found(self) -> tuple[Rank, TunesmithError] | None:
        """The rank for which the others wait, or the one that is furthest behind, and what to say; None while there is no reason to."""
        now, heard = time.monotonic(), max(rank.heard_at for rank in self._ranks)
        if len(self._ranks) < 2 or not self._timeout or now - heard < self._quiet:
            self._before, self._stopped = [], {}
            return None
        if now - self._looked < max(_EVERY, self._timeout / 10):
            return None
        self._looked = now
        seen = [rank.process.activity() if rank.process else None for rank in self._ranks]
        known = [activity for activity in seen if activity is not None]
        if len(known) < len(seen):
            return None
        self._stopped = {n: self._stopped.get(n, now) for n, activity in enumerate(known) if activity.stopped}
        for number, since in self._stopped.items():
            if now - since >= min(STOPPED, self._timeout) - self._quiet:
                return self._ranks[number], self._error(
                    "TS-RUN-026", f"Rank {number} of `{self._step}` was stopped by a signal", _STOPPED_FIX
                )
        if self._stopped:
            return None
        if not self._before:
            self._since, self._before = heard, known
        elif self._working(known, now - self._since):
            self._since, self._before = now, known
        elif now - self._since >= self._timeout:
            late = min(self._ranks, key=lambda rank: (rank.result is not None, rank.progress.get("done", 0.0), rank.number))
            what = f"The ranks of `{self._step}` wait for each other: for {now - self._since:.0f} s none of them has done anything"
            return late, self._error("TS-RUN-027", what, _WAITING_FIX)
        return None

    def _working(self, now: Sequence[Activity], seconds: float) -> bool:
        pairs = list(zip(self._before, now, strict=True))
        least = max(seconds, self._timeout)  # a burst within the time counts as if it had gone on
        return any(b.cpu - a.cpu > _BUSY * least or b.io - a.io > _READING for a, b in pairs)

    def _error(self, code: str, what: str, fix: str) -> TunesmithError:
        stacks = dumped([rank for rank in self._ranks if rank.result is None])
        return TunesmithError(code, what, why=" ".join(described(self._ranks, stacks)), fix=fix, facts={"stacks": named(stacks)})


_STOPPED_FIX = (
    "See who sends SIGSTOP (a debugger, a scheduler that suspends jobs). `tunesmith resume` goes on from the last checkpoint; "
    "`hang_timeout` of [run] in tunesmith.toml says how long this is waited for."
)
_WAITING_FIX = (
    "The stacks tell which rank is elsewhere than the others. `tunesmith resume` goes on from the last checkpoint; "
    "`hang_timeout` of [run] in tunesmith.toml says how long this is waited for (0: for ever)."
)


def described(ranks: Sequence[Rank], stacks: Mapping[int, str]) -> Iterator[str]:
    """A sentence for each rank: how far it said it was, and where it is."""
    for rank in ranks:
        done, total, what = (rank.progress.get(name) for name in ("done", "total", "what"))
        far = "" if done is None else f" had {what or 'progress'} at {done:g}" + (f" of {total:g}" if total else "")
        place = innermost(stacks.get(rank.number, ""))
        at = f" is in {place}" if place else " has answered" if rank.result is not None else " gave no stack"
        yield f"Rank {rank.number}{far}{' and' if far else ''}{at}."


def named(stacks: Mapping[int, str]) -> dict[str, str]:
    return {f"rank {number}": text for number, text in sorted(stacks.items())}


def with_ranks(error: TunesmithError, failed: Rank, ranks: Sequence[Rank]) -> TunesmithError:
    """The error of one rank of several, with where those are that have not answered: they may be what it had waited for.

    Its facts get ``rank``, and ``stacks`` by rank where there are any.
    """
    if len(ranks) < 2 or error.user:
        return error
    facts, why = {"rank": failed.number, **error.facts}, error.why
    left = [rank for rank in ranks if rank.result is None and rank.error is None and rank.connection is not None and not rank.closed]
    if left and "stacks" not in facts:
        stacks = dumped(left)
        facts["stacks"] = named(stacks)
        why = " ".join([why, *described(left, stacks)]).strip()
    return TunesmithError(error.code, error.what, why=why, fix=error.fix, facts=facts)
