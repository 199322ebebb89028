"""The host's side of a try: where its agents call in, what each has told, and what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.executor import Job
from tunesmith.errors import TunesmithError, listed
from tunesmith.isolation.secret_variables import withheld
from tunesmith_jobs.certificate import server_context
from tunesmith_jobs.last_words import LastWords
from tunesmith_jobs.link import Link

Report = Callable[[str, Mapping[str, Any]], None]

GREETING = 10.0  # seconds for who calls in to say who it is
LAST_REASONS = 2.0  # seconds for the other ranks to say why, after the first has failed


@dataclass
class RankState:
    """What is known of a rank's agent."""

    link: Link | None = None
    incarnation: str = ""
    machine: str = ""
    begun: bool = False
    seen: int = 0  # number of the last event that was taken
    heard: float = 0.0
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    failed: float = 0.0

    @property
    def at_work(self) -> bool:
        """Whether a rank that can be reached has begun and not ended."""
        return any(rank.link and rank.begun and not rank.over for rank in self.ranks)

    @property
    def over(self) -> bool:
        return self.result is not None or self.error is not None


def silent(ranks: Sequence[RankState], seconds: float) -> str:
    """The machine of a rank that was heard once, and not for so long; empty if there is none."""
    now = time.monotonic()
    return next((rank.machine for rank in ranks if rank.heard and not rank.over and now - rank.heard > seconds), "")


class RankLinks:
    """An async context in which agents are heard.

    Args:
        token: of the try.
        report: is given what rank 0 tells.
        clean: called before a gang that the scheduler has started again begins.
    """

    def __init__(self, job: Job, token: str, report: Report, clean: Callable[[], None]) -> None:
        self._job, self._token, self._report, self._clean = job, token, report, clean
        self._context, self.certificate = server_context()
        self.ranks = [RankState() for _ in job.steps]
        self._past: set[str] = set()  # agents of a gang that was started again
        self.since = time.monotonic()  #: when the gang that is awaited was started, as far as is known
        self.port = 0
        self.interrupted = ""  #: why a scheduler has ended a rank
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> RankLinks:
        self._server = await asyncio.start_server(self._called, None, 0, ssl=self._context, family=2)  # 2: AF_INET
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0.2)  # what was sent last is on its way
        self.close()

    def close(self) -> None:
        if self._server:
            self._server.close()
        for rank in self.ranks:
            if rank.link:
                rank.link.close()

    # --- what came of it ---------------------------------------------------------------------------------------------------------

    @property
    def complete(self) -> bool:
        """Whether every rank has called in at least once."""
        return all(rank.incarnation for rank in self.ranks)

    @property
    def at_work(self) -> bool:
        """Whether a rank that can be reached has begun and not ended."""
        return any(rank.link and rank.begun and not rank.over for rank in self.ranks)

    @property
    def over(self) -> bool:
        return all(rank.over for rank in self.ranks)

    @property
    def result(self) -> Mapping[str, Any] | None:
        """Of rank 0, once all have theirs."""
        return self.ranks[0].result if all(rank.result is not None for rank in self.ranks) else None

    @property
    def error(self) -> TunesmithError | None:
        """Of the rank that failed first, once the others had time to say what they know."""
        failed = sorted((rank for rank in self.ranks if rank.error is not None), key=lambda rank: rank.failed)
        if not failed or not (self.over or time.monotonic() - failed[0].failed > LAST_REASONS):
            return None
        deaths = [rank for rank in failed if (rank.error or {}).get("code") in ("TS-RUN-012", "TS-RUN-013")]  # what others fail of
        first = (deaths or failed)[0]
        error = TunesmithError.from_json(first.error or {})
        if len(self.ranks) > 1 and not error.user:
            facts = {**error.facts, "rank": self.ranks.index(first), "machine": first.machine}
            error = TunesmithError(error.code, error.what, why=error.why, fix=error.fix, facts=facts)
        return error

    @property
    def started_over(self) -> bool:
        return bool(self._past)

    @property
    def missing(self) -> str:
        return listed([f"rank {number}" for number, rank in enumerate(self.ranks) if not rank.incarnation])

    # --- what is said ------------------------------------------------------------------------------------------------------------

    async def send_all(self, method: str, params: Mapping[str, Any]) -> None:
        for rank in self.ranks:
            if rank.link:
                with contextlib.suppress(OSError):
                    await rank.link.send(method, params)

    async def confirm_results(self) -> None:
        """The results are kept: agents may go."""
        for rank in self.ranks:
            if rank.link:
                with contextlib.suppress(OSError):
                    await rank.link.send("confirm", {"number": rank.seen})

    # --- hearing -----------------------------------------------------------------------------------------------------------------

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer)
        rank: RankState | None = None
        try:
            messages = link.messages()
            method, hello = await asyncio.wait_for(messages.__anext__(), GREETING)
            rank = self._recognised(method, hello)
            if rank is None:  # not one of this try's: it learns nothing
                return
            await self._welcome(rank, link, hello)
            async for method, params in messages:
                rank.heard = time.monotonic()
                if method == "event":
                    await self._take(rank, link, int(params["number"]), str(params["method"]), params["params"])
        except (OSError, StopAsyncIteration, asyncio.TimeoutError, TunesmithError, KeyError, TypeError, ValueError):
            pass  # it calls in again, or is missed
        finally:
            if rank is not None and rank.link is link:
                rank.link = None
            link.close()

    def _recognised(self, method: str, hello: Mapping[str, Any]) -> RankState | None:
        knows = hmac.compare_digest(str(hello.get("token")).encode(), self._token.encode())
        number = hello.get("rank")
        if method != "hello" or not knows or not isinstance(number, int) or not 0 <= number < len(self.ranks):
            return None
        return self.ranks[number]

    async def _welcome(self, rank: RankState, link: Link, hello: Mapping[str, Any]) -> None:
        incarnation = str(hello["incarnation"])
        if incarnation in self._past:
            await link.send("kill", {})
            return
        if rank.incarnation not in ("", incarnation):  # the scheduler has started it again: the others' work is of no use without it
            await self._start_over([one for one in self.ranks if one.incarnation])
        if rank.link is not None:
            rank.link.close()  # the same agent, over a new connection, before the old one was seen to be gone
        rank.link, rank.incarnation, rank.machine = link, incarnation, str(hello.get("machine"))
        rank.heard = time.monotonic()
        rank.begun = rank.begun or bool(hello.get("at_work"))
        if not all(one.link for one in self.ranks) or all(one.begun for one in self.ranks):
            return
        if old := [one for one in self.ranks if one.begun]:  # some were started again while there was no host
            await self._start_over(old)
            return
        if self._past:
            self._clean()
        for number, one in enumerate(self.ranks):
            one.begun = True
            if one.link:
                await one.link.send("begin", self._orders(number))

    async def _start_over(self, ranks: Sequence[RankState]) -> None:
        """These ranks' agents do not count any more; their scheduler starts others, or the try is lost."""
        self.since = time.monotonic()
        for rank in ranks:
            link = rank.link
            self._past.add(rank.incarnation)
            vars(rank).update(vars(RankState()))
            if link:
                with contextlib.suppress(OSError):
                    await link.send("kill", {})
                link.close()

    def _orders(self, number: int) -> Mapping[str, Any]:
        kept = withheld(os.environ)
        wanted = {name: os.environ[name] for name in kept if name not in withheld(os.environ, self._job.secrets)}
        return {
            "entry": self._job.entry, "step": self._job.steps[number], "command": list(self._job.command),
            "environment": dict(self._job.environment), "secrets": wanted,
        }  # fmt: skip

    async def take_last_words(self, directory: Path, attempt: int) -> None:
        """What ranks have left that had ended before this host came."""
        for number, rank in enumerate(self.ranks):
            left = None if rank.over else LastWords.of(directory, attempt, number)
            if left and rank.incarnation in ("", left.incarnation):
                rank.incarnation, rank.machine, rank.begun = left.incarnation, left.machine, True
                for event in left.events:
                    await self._take(rank, None, *event)

    async def _take(self, rank: RankState, link: Link | None, number: int, method: str, params: Mapping[str, Any]) -> None:
        """
        Args:
            link: over which it came, and is confirmed.
        """
        if number <= rank.seen:
            return
        first = rank is self.ranks[0]
        if method == "output":
            stream = sys.stdout if params["stream"] == "stdout" else sys.stderr
            prefix = f"[rank {self.ranks.index(rank)}] " if len(self.ranks) > 1 else ""
            stream.write("".join(prefix + line for line in str(params["text"]).splitlines(keepends=True)))
            stream.flush()
        elif method == "result":
            rank.result = params
        elif method == "error" and "code" in params:
            rank.error, rank.failed = params, time.monotonic()
        elif method == "error":  # it was ended over there, not by its own fault
            self.interrupted = f"{params.get('cancelled') or 'it was ended'} (on {rank.machine})"
        elif first:
            self._report(method, params)
        rank.seen = number
        if link and not rank.over:  # a result is confirmed when it is kept
            await link.send("confirm", {"number": number})
