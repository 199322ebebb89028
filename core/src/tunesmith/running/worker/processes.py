"""The worker processes of one step, from the host's side: start them, hear them, end them."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.environment_builder import Start
from tunesmith.contracts.worker_process import Launch, Starter
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith.isolation import protocol, worker
from tunesmith.isolation.secret_variables import withheld
from tunesmith.running.worker.exit_status import ended, oom_kills
from tunesmith.running.worker.hang_detection import HangDetection, with_ranks
from tunesmith.running.worker.listener import Listener
from tunesmith.running.worker.logs import cap, tail
from tunesmith.running.worker.rank import Rank
from tunesmith.running.worker.selector import SocketSelector

CONNECT_TIMEOUT = 120.0  # seconds for a process to start and call in, on a busy machine
SETTLE = 1.0  # seconds to wait for the other ranks' reasons after the first has failed
HOST = (sys.executable, "-m", "tunesmith.isolation.worker")  # starts a worker in this environment
CANCEL_TIMEOUT = 2.5  # seconds between $/cancel and SIGTERM
TERM_TIMEOUT = 0.75  # seconds between SIGTERM and SIGKILL


@dataclass(frozen=True)
class Work:
    """What the workers of a step are asked to do.

    Args:
        name: the step's, for messages.
        entry: ``module:function`` that each rank calls.
        steps: the step as JSON, one per rank.
        logs: directory for stdout and stderr.
        start: the interpreter and the variables of the environment it runs in.
        directory: the current directory of its processes; None: the host's.
        secrets: variables that its processes get though they hold a secret (see `tunesmith.isolation.secret_variables`).
        hang_timeout: seconds after which ranks that do nothing are ended; 0: never.
        variables: that its processes get on top of the host's.
    """

    name: str
    entry: str
    steps: tuple[Mapping[str, Any], ...]
    logs: Path
    start: Start = field(default_factory=Start)
    directory: Path | None = None
    secrets: tuple[str, ...] = ()
    hang_timeout: float = 0.0
    variables: Mapping[str, str] = field(default_factory=dict)


class Workers:
    """The ranks of one step as one thing. `tick` after every pump of the sockets; then ask `done`.

    Args:
        notified: called with (method, params) of what rank 0 reports.
    """

    def __init__(self, work: Work, starter: Starter, sockets: SocketSelector, notified: Callable[[str, Mapping[str, Any]], None]) -> None:
        self.work, self._starter, self._sockets, self._notified = work, starter, sockets, notified
        self._listener = Listener()
        self._oom = oom_kills()
        self._started = time.monotonic()
        self._failed_at = self._cancelled_at = self._capped_at = 0.0
        self._cancel_timeout = CANCEL_TIMEOUT
        self._strangers: list[socket.socket] = []
        self.ranks = [Rank(number, step) for number, step in enumerate(work.steps)]
        self._hang_detection = HangDetection(work.name, self.ranks, work.hang_timeout)

    def start(self) -> None:
        self._sockets.connect(self._listener.socket, self._accept)
        for rank in self.ranks:
            rank.stdout, rank.stderr = (self._log(rank, stream) for stream in ("stdout", "stderr"))
            rank.process = self._starter.start(
                Launch(
                    self.work.start.command or HOST, self._environment(rank), rank.stdout, rank.stderr,
                    (*self.work.start.without, *withheld(os.environ, self.work.secrets)), self.work.directory,
                )
            )  # fmt: skip

    def _log(self, rank: Rank, stream: str) -> Path:
        return self.work.logs / (f"{stream}.log" if len(self.ranks) == 1 else f"{stream}.{rank.number}.log")

    def _environment(self, rank: Rank) -> dict[str, str]:
        return {
            **self.work.variables, "PYTHONHASHSEED": "0", **self.work.start.environment, worker.ADDRESS: self._listener.address,
            worker.TOKEN: self._listener.token, worker.RANK: str(rank.number), worker.HOST: str(os.getpid()), "PYTHONSAFEPATH": "1",
        }  # fmt: skip

    # --- listening ---------------------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        sock, _ = self._listener.socket.accept()
        sock.setblocking(False)
        self._strangers.append(sock)
        stranger = protocol.Decoder()

        def greeted() -> None:
            try:
                data = sock.recv(65536)
                messages = list(stranger.feed(data))
                if data and not messages:
                    return
                rank = self._recognise(messages[0]["params"]) if messages else None
            except (TunesmithError, OSError, KeyError):
                rank = None
            self._sockets.disconnect(sock)
            self._strangers.remove(sock)
            if rank is None:  # not one of ours: it learns nothing
                sock.close()
                return
            rank.welcome(sock, self._listener.token, self.work.entry)
            self._sockets.connect(sock, lambda: self._hear(rank))
            if all(r.connection for r in self.ranks):
                self._close_door()

        self._sockets.connect(sock, greeted)

    def _recognise(self, hello: Mapping[str, Any]) -> Rank | None:
        if not self._listener.knows(hello.get("token")):
            return None
        rank = hello.get("rank")
        free = isinstance(rank, int) and 0 <= rank < len(self.ranks) and self.ranks[rank].connection is None
        return self.ranks[rank] if free else None  # type: ignore[index]

    def _close_door(self) -> None:
        self._sockets.disconnect(self._listener.socket)
        self._listener.close()
        for sock in self._strangers:
            self._sockets.disconnect(sock)
            sock.close()
        self._strangers.clear()

    def _hear(self, rank: Rank) -> None:
        for method, params in rank.hear():
            if rank.number == 0:
                self._notified(method, params)
        if rank.closed and rank.connection is not None:
            self._sockets.disconnect(rank.connection.socket)

    # --- watching ----------------------------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """All ranks have answered, or one has failed and the others had time to say why."""
        if all(rank.result is not None for rank in self.ranks):
            return True
        if not any(rank.error for rank in self.ranks):
            return False
        return all(rank.result is not None or rank.error for rank in self.ranks) or time.monotonic() - self._failed_at > SETTLE

    def tick(self) -> None:
        """Look after the processes: deaths, a start that takes too long, a cancel that is not heeded, logs that grow."""
        now = time.monotonic()
        for rank in self.ranks:
            status = rank.process.poll() if rank.process else None
            if status is not None and rank.result is None and rank.error is None:
                self._hear_out(rank)
                if rank.result is None and rank.error is None:
                    rank.fail(self._death(rank, status), died=True)
            elif rank.closed and status is None and rank.result is None and rank.error is None and rank.process:
                rank.process.stop(TERM_TIMEOUT)  # it hung up: whatever it still does, nobody will hear of
            elif rank.connection is None and rank.error is None and now - self._started > CONNECT_TIMEOUT:
                rank.fail(_no_start(self.work.name, rank.stderr, f"It did not call in within {CONNECT_TIMEOUT:.0f} seconds."))
        if not self._failed_at and not self._cancelled_at and (found := self._hang_detection.found()):
            late, error = found
            late.fail(error, died=True)
        if not self._failed_at and any(rank.error for rank in self.ranks):
            self._failed_at = now
        if self._cancelled_at and now - self._cancelled_at > self._cancel_timeout:
            self.kill(TERM_TIMEOUT)
        if now - self._capped_at > 0.1:
            self._capped_at = now
            for rank in self.ranks:
                cap(rank.stdout)
                cap(rank.stderr)

    def _hear_out(self, rank: Rank) -> None:
        if rank.connection is not None and not rank.closed:
            self._hear(rank)

    def _death(self, rank: Rank, status: int) -> TunesmithError:
        who = f"The worker of `{self.work.name}`" if len(self.ranks) == 1 else f"Rank {rank.number} of `{self.work.name}`"
        if rank.connection is None and status >= 0:
            return _no_start(self.work.name, rank.stderr, f"It ended with status {status}.")
        return ended(who, status, rank.stderr, self._oom)

    def result(self) -> Mapping[str, Any]:
        """What rank 0 returned.

        Raises:
            TunesmithError: the reason of the rank that failed first, with where those are that did not answer; a death counts before an
                error, for it is what caused the others' errors.
            Cancelled: if the ranks ended because they were asked to.
        """
        failed = sorted((rank for rank in self.ranks if rank.error), key=lambda rank: (not rank.died, rank.failed_at))
        if self._cancelled_at and failed:
            raise Cancelled(self.work.name)
        if failed:
            error = failed[0].error
            assert error is not None
            raise with_ranks(error, failed[0], self.ranks)
        assert self.ranks[0].result is not None
        return self.ranks[0].result

    # --- ending ------------------------------------------------------------------------------------------------------------------

    def cancel(self, timeout: float = CANCEL_TIMEOUT) -> None:
        """Ask all ranks to stop; `tick` ends those that have not after `timeout` seconds."""
        if not self._cancelled_at:
            self._cancelled_at, self._cancel_timeout = time.monotonic(), timeout
            for rank in self.ranks:
                rank.cancel()

    def kill(self, term_timeout: float = 0.0) -> None:
        """End all processes: SIGTERM, `term_timeout` seconds, SIGKILL."""
        processes = [rank.process for rank in self.ranks if rank.process]
        with ThreadPoolExecutor(max(1, len(processes))) as pool:
            list(pool.map(lambda process: process.stop(term_timeout), processes))

    def close(self) -> None:
        """Let finished workers go, end the others, and forget their sockets."""
        self._close_door()
        for rank in self.ranks:
            rank.shutdown()
        deadline = time.monotonic() + 2.0
        finished = [rank.process for rank in self.ranks if rank.process and rank.result is not None]
        while any(process.poll() is None for process in finished) and time.monotonic() < deadline:
            time.sleep(0.005)
        self.kill()
        for rank in self.ranks:
            cap(rank.stdout)
            cap(rank.stderr)
            if rank.connection is not None:
                self._sockets.disconnect(rank.connection.socket)
                rank.connection.close()


def _no_start(step: str, stderr: Path, why: str) -> TunesmithError:
    said = " | ".join(tail(stderr, 3))
    return TunesmithError(
        "TS-RUN-001", f"The worker of `{step}` did not start", why=f"{why} {said}".strip(),
        fix=f"Its output is in {stderr}. `tunesmith doctor` checks the environment.",
    )  # fmt: skip
