"""What a cluster starts on each of a job's machines: ``python -m tunesmith_jobs.agent DIRECTORY ATTEMPT RANK``.

It calls in to the host, starts the rank's worker, and is the worker's host: it hears it, ends it, and explains its death. What it hears it
passes on. When the host is gone it keeps what there is to tell, and looks for the host that takes its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.environment_builder import Start
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith.isolation.error_conversion import coded
from tunesmith.running.worker.local_starter import LocalStarter
from tunesmith.running.worker.processes import TERM_TIMEOUT, Work, Workers
from tunesmith.running.worker.selector import SocketSelector
from tunesmith_jobs.certificate import NAME, client_context
from tunesmith_jobs.contact import Contact
from tunesmith_jobs.last_words import LastWords
from tunesmith_jobs.link import BEAT, Link
from tunesmith_jobs.outbox import Outbox

AGAIN = 1.0  # seconds between two tries to reach the host
LOOK = 2.0  # seconds between two looks at whether this try is still the one that counts
LAST_WORDS = 10.0  # seconds for the host to confirm the end
CALLING = 10.0  # seconds for one address to answer


class Agent:
    """One rank's.

    Args:
        directory: the job's.
        attempt: number of the try that it is part of.
    """

    def __init__(self, directory: Path, attempt: int, rank: int) -> None:
        self._directory, self._attempt, self._rank = directory, attempt, rank
        self._incarnation = secrets.token_hex(8)
        self._outbox = Outbox()
        self._orders: Mapping[str, Any] | None = None
        self._ordered, self._over = threading.Event(), threading.Event()
        self._cancel = ""  # why the work is to stop
        self._kill = False
        self._heard = time.monotonic()  # when a host was last there

    def run(self) -> int:
        """Exit status: 0 whether the step succeeds or not, for the host knows; 1 when this was not the try that counts."""
        signal.signal(signal.SIGTERM, lambda *_: self._stop("its machine's scheduler ended it"))
        if not self._counts():
            return 1
        threading.Thread(target=lambda: asyncio.run(self._stay_in_touch()), name="tunesmith-link", daemon=True).start()
        while not self._ordered.wait(LOOK / 4):
            if self._cancel or not self._counts() or self._deserted():
                return 1
        try:
            told = self._work()
        except Cancelled:
            told = ("error", {"cancelled": self._cancel})
        except BaseException as error:
            told = ("error", coded(error).to_json())
        self._outbox.put(*told)
        self._over.set()
        until = time.monotonic() + LAST_WORDS
        while not self._outbox.empty and self._counts() and not self._kill and time.monotonic() < until:
            time.sleep(0.05)
        if (left := self._outbox.after(0)) and self._counts() and not self._kill:
            LastWords(self._incarnation, socket.gethostname(), left).leave(self._directory, self._attempt, self._rank)
        return 0

    # --- the worker --------------------------------------------------------------------------------------------------------------

    def _work(self) -> tuple[str, Mapping[str, Any]]:
        assert self._orders is not None
        with tempfile.TemporaryDirectory(prefix="tunesmith-") as logs:
            sockets, orders = SocketSelector(), self._orders
            step = orders["step"]
            Path(step["work"]).mkdir(parents=True, exist_ok=True)
            Path(step["output"]).mkdir(parents=True, exist_ok=True)
            work = Work(
                step["name"], orders["entry"], (step,), Path(logs), Start(tuple(orders["command"]), orders["environment"]),
                Path(step["work"]), tuple(orders["secrets"]), variables={**orders["secrets"]},
            )  # fmt: skip
            workers = Workers(work, LocalStarter(), sockets, self._outbox.put)
            streams = {name: _Tail(Path(logs) / f"{name}.log") for name in ("stdout", "stderr")}
            try:
                workers.start()
                looked = time.monotonic()
                while not workers.done:
                    sockets.pump(0.1)
                    workers.tick()
                    self._pass_on(streams)
                    if time.monotonic() - looked > LOOK:
                        looked = time.monotonic()
                        if not self._counts():
                            self._kill = True
                        elif self._deserted():
                            self._stop("its host did not come back")
                    if self._kill:
                        workers.kill()
                        raise Cancelled(step["name"])
                    if self._cancel:
                        workers.cancel()
                return "result", workers.result()
            finally:
                workers.kill(TERM_TIMEOUT if self._cancel else 0.0) if not workers.done else None
                workers.close()
                self._pass_on(streams)
                sockets.close()

    def _pass_on(self, streams: Mapping[str, _Tail]) -> None:
        for name, stream in streams.items():
            if text := stream.more():
                self._outbox.put("output", {"stream": name, "text": text})

    def _stop(self, why: str) -> None:
        self._cancel = self._cancel or why

    def _counts(self) -> bool:
        """Whether this try is the job's current one. A file system that does not answer changes nothing."""
        try:
            contact = Contact.read(self._directory)
        except (OSError, ValueError, TypeError, KeyError):
            return True
        return contact is not None and contact.attempt == self._attempt

    def _deserted(self) -> bool:
        try:
            contact = Contact.read(self._directory)
        except (OSError, ValueError, TypeError, KeyError):
            contact = None
        return contact is not None and time.monotonic() - self._heard > contact.reconnect_timeout

    # --- the host ----------------------------------------------------------------------------------------------------------------

    async def _stay_in_touch(self) -> None:
        while not (self._over.is_set() and self._outbox.empty):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError, TunesmithError, asyncio.TimeoutError):
                contact = Contact.read(self._directory)
                if contact is None or contact.attempt != self._attempt:
                    return
                await self._call(contact)
            await asyncio.sleep(AGAIN)

    async def _call(self, contact: Contact) -> None:
        """One connection, from hello to its end."""
        context, opened = client_context(contact.certificate), None
        for address in contact.addresses:
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                opened = await asyncio.wait_for(asyncio.open_connection(address, contact.port, ssl=context, server_hostname=NAME), CALLING)
                break
        if opened is None:
            return
        link = Link(*opened)
        try:
            await link.send(
                "hello",
                {
                    "token": contact.token, "attempt": self._attempt, "rank": self._rank, "incarnation": self._incarnation,
                    "at_work": self._ordered.is_set(), "machine": socket.gethostname(), "pid": os.getpid(),
                },
            )  # fmt: skip
            telling = asyncio.ensure_future(self._tell(link))
            try:
                async for method, params in link.messages():
                    self._heard = time.monotonic()
                    self._take(method, params)
            finally:
                telling.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await telling
        finally:
            link.close()

    def _take(self, method: str, params: Mapping[str, Any]) -> None:
        if method == "begin" and not self._ordered.is_set():
            self._orders = params
            self._ordered.set()
        elif method == "confirm":
            self._outbox.confirmed(int(params["number"]))
        elif method == "cancel":
            self._stop("the run was asked to stop")
        elif method == "kill":
            self._kill = True

    async def _tell(self, link: Link) -> None:
        sent, beat = 0, 0.0
        while True:
            for number, method, params in self._outbox.after(sent):
                await link.send("event", {"number": number, "method": method, "params": params})
                sent = number
            if time.monotonic() - beat > BEAT:
                beat = time.monotonic()
                await link.send("beat", {})
            await asyncio.sleep(0.05)


class _Tail:
    """What was appended to a file since the last look; a file that was cut begins again."""

    def __init__(self, path: Path) -> None:
        self._path, self._at = path, 0

    def more(self) -> str:
        with contextlib.suppress(OSError), open(self._path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            self._at = self._at if size >= self._at else 0
            file.seek(self._at)
            data = file.read(2**20)
            self._at += len(data)
            return data.decode("utf-8", "replace")
        return ""


def main() -> int:
    directory, attempt, which = sys.argv[1:4]
    return Agent(Path(directory), int(attempt), int(which if which.isdigit() else os.environ[which])).run()


if __name__ == "__main__":
    sys.exit(main())
