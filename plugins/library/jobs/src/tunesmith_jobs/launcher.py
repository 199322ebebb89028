"""Carries a job out on a cluster, from the worker that has the step here: submits it, hears its agents, starts it anew if it is lost."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from tunesmith.contracts.artifacts import Result
from tunesmith.contracts.kinds.executor import Job
from tunesmith.contracts.step import Step
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith_jobs import rank_links
from tunesmith_jobs.cluster import Cluster, Gang, State
from tunesmith_jobs.contact import Contact, addresses_of_this_machine
from tunesmith_jobs.last_words import LastWords
from tunesmith_jobs.launch_record import LaunchRecord
from tunesmith_jobs.rank_links import RankLinks, Report
from tunesmith_jobs.settings import JobSettings

ASK = 2.0  # seconds between two questions to the cluster; longer where it answers slowly
CALL_IN = 180.0  # seconds for the agents of a job that runs to call in
DELIVER = 5.0  # seconds for what the agents of a job that has ended still have to tell
FENCE = 6.0  # seconds in which every agent of a lost try that can reach the file system has seen that it does not count
STOP = 10.0  # seconds for workers to stop by themselves
ANSWER = 60.0  # seconds for the cluster to answer

_T = TypeVar("_T")


def carry_out(cluster: Cluster, settings: JobSettings, step: Step, job: Job, report: Report) -> Result:
    """What `tunesmith.contracts.kinds.executor.Executor.run` promises, for a cluster."""
    launcher = _Launcher(cluster, settings, step, job, report)
    with ThreadPoolExecutor(1) as pool:  # not in the main thread, where a step that is asked to stop can't import any more
        return pool.submit(lambda: asyncio.run(launcher.run())).result()


class _Lost(Exception):
    """This try comes to no end; the text says why."""


class _Launcher:
    def __init__(self, cluster: Cluster, settings: JobSettings, step: Step, job: Job, report: Report) -> None:
        self._cluster, self._settings, self._step, self._job, self._report = cluster, settings, step, job, report
        self._output = Path(job.steps[0]["output"])
        self._record = LaunchRecord.read(job.directory)
        self._told = ""  # the state that was last told

    async def run(self) -> Result:
        if (result := self._delivered()) is not None:
            return result
        found = bool(self._record.id) and (self._left() or await self._state() != "ended")
        if found:
            self._step.decide("go on with the job that was started before", f"{self._record.id} is known, and was not lost")
        else:
            self._record = replace(self._record, lost=0)
        while True:
            links = RankLinks(self._job, self._token(new=not found), self._report, self._clean)
            try:
                async with links:
                    self._publish(links)
                    if not found:
                        await self._submit()
                    try:
                        return await self._attend(links)
                    except _Lost as lost:
                        await self._give_up(links)
                        await self._again(str(lost))
                        found = False
                    except BaseException:
                        await self._give_up(links)
                        raise
            finally:
                links.close()

    # --- one try -----------------------------------------------------------------------------------------------------------------

    def _token(self, new: bool) -> str:
        """The try's token; a new try is a new number and a new token, so that what is left of an old one is not heard."""
        if new:
            self._clean()
            self._record = self._record.write(
                self._job.directory, attempt=self._record.attempt + 1, id="", token=secrets.token_hex(32), result=None, made=()
            )
        return self._record.token

    def _clean(self) -> None:
        """What an earlier gang left that is of no use to the next."""
        shutil.rmtree(self._output, ignore_errors=True)
        (self._job.directory / "rendezvous").unlink(missing_ok=True)
        self._output.mkdir(parents=True)

    def _publish(self, links: RankLinks) -> None:
        addresses = (self._settings.host,) if self._settings.host else addresses_of_this_machine()
        contact = Contact(
            self._record.attempt, self._record.token, addresses, links.port, links.certificate, self._settings.reconnect_timeout
        )
        contact.write(self._job.directory)

    async def _submit(self) -> None:
        folder = self._job.directory / f"attempt-{self._record.attempt}"
        folder.mkdir(mode=0o700, exist_ok=True)
        name = re.sub(r"[^a-z0-9]+", "-", self._job.name.lower()).strip("-")[:50] or "step"
        gang = Gang(
            f"{name}-{self._record.token[:8]}", folder, len(self._job.steps), sys.executable, self._job.directory,
            self._record.attempt, self._job.resources,
        )  # fmt: skip
        self._record = self._record.write(self._job.directory, id=await self._ask(lambda: self._cluster.submit(gang)))

    async def _attend(self, links: RankLinks) -> Result:
        """Hear the agents until rank 0 has given its result and all others theirs."""
        asked, since_ended, since_running, state = 0.0, 0.0, 0.0, "unknown"
        while True:
            if self._step.cancelled.is_set():
                await self._cancel(links)
            if links.error is not None:
                raise links.error
            if links.result is not None:
                return await self._deliver(links)
            now = time.monotonic()
            if now - asked > ASK:
                state = await self._state()
                asked = time.monotonic()
                self._tell(state)
            since_running = (since_running or now) if state == "running" else 0.0
            since_ended = (since_ended or now) if state == "ended" else 0.0
            if since_ended:
                await links.take_last_words(self._job.directory, self._record.attempt)
            if since_ended and now - since_ended > DELIVER:
                raise _Lost(links.interrupted or await self._why() or f"{self._record.id} ended without a result")
            if since_running and now - max(since_running, links.since) > CALL_IN and not links.complete:
                raise _Lost(f"{links.missing} did not come back") if links.started_over else self._unreachable(links)
            if (silent := rank_links.silent(links.ranks, self._settings.heartbeat_timeout)) and state != "queued":
                raise _Lost(f"nothing was heard of {silent} for {self._settings.heartbeat_timeout:.0f} s")
            await asyncio.sleep(0.05)

    async def _deliver(self, links: RankLinks) -> Result:
        made = tuple(sorted(entry.name for entry in self._output.iterdir()))
        self._record = self._record.write(self._job.directory, result=links.result, made=made)
        await links.confirm_results()
        return _result(self._record.result or {})

    def _delivered(self) -> Result | None:
        """The result of a job that had ended when its host died, if its files are all there."""
        record = self._record
        if record.result is None or not self._output.is_dir():
            return None
        return _result(record.result) if tuple(sorted(entry.name for entry in self._output.iterdir())) == record.made else None

    def _left(self) -> bool:
        """Whether rank 0 had come to its end, and has left what it had to tell."""
        return LastWords.of(self._job.directory, self._record.attempt, 0) is not None

    # --- its end -----------------------------------------------------------------------------------------------------------------

    async def _cancel(self, links: RankLinks) -> None:
        await links.send_all("cancel", {})
        until = time.monotonic() + STOP
        while time.monotonic() < until and links.at_work and await self._state() != "ended":
            await asyncio.sleep(0.2)
        raise Cancelled(self._step.name)

    async def _give_up(self, links: RankLinks) -> None:
        """End the try on all machines."""
        await links.send_all("kill", {})
        if not self._record.id:
            return
        try:
            await self._ask(lambda: self._cluster.stop(self._record.id))
        except (TunesmithError, OSError) as error:
            self._step.log(f"{self._record.id} can't be stopped ({error}): its agents end by themselves", "warning")
        self._record = self._record.write(self._job.directory, id="")

    async def _again(self, why: str) -> None:
        if self._record.lost >= self._settings.max_retries:
            raise TunesmithError(
                "TS-RUN-028", f"The job of `{self._step.name}` was lost: {why}",
                why=f"It was started {self._record.lost + 1} times." if self._record.lost else "",
                fix="Look at its machines, then `tunesmith resume`: it goes on from the last checkpoint. "
                "`max_retries` of the executor says how often a lost job is started anew.",
            )  # fmt: skip
        self._record = self._record.write(self._job.directory, lost=self._record.lost + 1, attempt=self._record.attempt + 1)
        self._step.decide("start the job anew, from the last checkpoint", why)
        self._publish_nobody()
        await asyncio.sleep(FENCE)

    def _publish_nobody(self) -> None:
        """What is left of the lost try sees that it does not count any more."""
        Contact(self._record.attempt, "", (), 0, "", self._settings.reconnect_timeout).write(self._job.directory)

    # --- the cluster -------------------------------------------------------------------------------------------------------------

    async def _state(self) -> State:
        try:
            return await self._ask(lambda: self._cluster.state(self._record.id))
        except (TunesmithError, OSError, asyncio.TimeoutError):
            return "unknown"

    async def _why(self) -> str:
        try:
            return await self._ask(lambda: self._cluster.why(self._record.id))
        except (TunesmithError, OSError, asyncio.TimeoutError):
            return ""

    async def _ask(self, question: Callable[[], _T]) -> _T:
        return await asyncio.wait_for(asyncio.to_thread(question), ANSWER)

    def _tell(self, state: str) -> None:
        if state not in (self._told, "unknown"):
            self._told = state
            self._step.log(f"the job {self._record.id} is {'over' if state == 'ended' else state}")

    def _unreachable(self, links: RankLinks) -> TunesmithError:
        folder = self._job.directory / f"attempt-{self._record.attempt}"
        return TunesmithError(
            "TS-RUN-029", f"The job of `{self._step.name}` runs, but {links.missing} did not call in within {CALL_IN:.0f} s",
            why=f"Its machines are to reach this one at {', '.join(_told(self._job.directory))}, and to find {self._job.directory} and "
            f"{sys.executable} on theirs. What they printed is in {folder}.",
            fix="Set `host` of the executor to an address that they can reach, open its ports, and work on a file system that they see.",
        )  # fmt: skip


def _told(directory: Path) -> tuple[str, ...]:
    contact = Contact.read(directory)
    return tuple(f"{address}:{contact.port}" for address in contact.addresses) if contact else ()


def _result(data: Mapping[str, Any]) -> Result:
    return Result(format=data["format"], refs=data["refs"], metrics=data["metrics"], meta=data["meta"])
