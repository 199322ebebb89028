"""Fetches files in parallel parts, and answers for what it leaves: whole and of the right hash, or taken up again next time."""

from __future__ import annotations

import errno
import queue
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError, UserError
from tunesmith_file.api import file_lock
from tunesmith_hubs.cache import blobs
from tunesmith_hubs.download.partial_file import Part, PartFile
from tunesmith_hubs.download.transfer import RunningHash, Transfer
from tunesmith_hubs.http.client import Refused, Transient, WrongFile
from tunesmith_hubs.http.patience import Patience
from tunesmith_hubs.hub import Source

T = TypeVar("T")

_TICK = 0.1  # seconds between two looks at how far the threads are
_GRACE = 2.0  # seconds for the threads to see that they should stop


class Download:
    """A set of transfers over a bounded number of connections.

    Args:
        patience: makes a fresh `Patience`; its sleep must end when `stopped` is set.
    """

    def __init__(self, *, connections: int, part_size: int, step: Step) -> None:
        self._connections, self._part_size, self._step = connections, part_size, step
        self._partial = blobs.partial()
        self._work: queue.Queue[Callable[[], None]] = queue.Queue()
        self._warnings: queue.Queue[str] = queue.Queue()
        self._error: BaseException | None = None
        self.stopped = threading.Event()

    def run(self, transfers: Sequence[Transfer], patience: Callable[[], Patience]) -> None:
        """Fetch all of them.

        Raises:
            UserError: TS-MODEL-002 when the server can't be reached any more. What was received is kept.
            TunesmithError: TS-MODEL-007 when it keeps sending other bytes than it promises, TS-MODEL-009 when the disk is full.
            Refused: when the last place refuses a file.
        """
        self._patience = patience
        with ExitStack() as held:
            for transfer in sorted(transfers, key=lambda t: t.file.key):  # one order for all processes, so no deadlock
                held.enter_context(file_lock(self._partial / (transfer.file.key + ".lock"), self._step))
            mine = [transfer for transfer in transfers if not self._arrived_meanwhile(transfer)]
            self._require_space(mine)
            for transfer in sorted(mine, key=lambda t: -t.file.size):
                self._work.put(lambda transfer=transfer: self._begin(transfer))
            threads = [threading.Thread(target=self._worker, args=(mine,), daemon=True) for _ in range(self._connections)]
            for thread in threads:
                thread.start()
            try:
                while any(thread.is_alive() for thread in threads):
                    self._step.check_cancelled()
                    self._report(transfers)
                    threads[0].join(_TICK)
            finally:
                self.stopped.set()
                deadline = time.monotonic() + _GRACE
                for thread in threads:
                    thread.join(max(0.0, deadline - time.monotonic()))  # one that hangs in a read ends later, with its time-out
                for transfer in mine:
                    if transfer.parts:
                        transfer.parts.close()
            self._report(transfers)
        if self._error:
            raise self._error

    def _worker(self, transfers: Sequence[Transfer]) -> None:
        while not self.stopped.is_set() and not all(transfer.finished for transfer in transfers):
            try:
                task = self._work.get(timeout=_TICK)
            except queue.Empty:
                continue
            try:
                task()
            except BaseException as error:
                if not self.stopped.is_set():
                    self._error = _disk_full(error, self._partial) or error
                    self.stopped.set()

    def _begin(self, transfer: Transfer) -> None:
        transfer.parts = parts = PartFile(self._partial / transfer.file.key, transfer.file.size, self._part_size)
        missing = [part for part in parts.parts if not part.complete]
        if len(missing) > 1 and not self._tried(transfer, lambda source: self._patience().attempts(source.has_ranges, transfer.name)):
            # A server without ranges: in one piece, from the start after each failure.
            parts.records.unlink()
            parts.close()
            transfer.parts = parts = PartFile(parts.path, transfer.file.size, max(transfer.file.size, 1))
            missing = parts.parts
        transfer.hash = _hash_of(transfer)
        transfer.receiving = len(missing)
        for part in missing:
            self._work.put(lambda part=part: self._part(transfer, part))
        if not missing:
            self._verify_if_complete(transfer)

    def _part(self, transfer: Transfer, part: Part) -> None:
        self._receive(transfer, part)
        assert transfer.parts is not None
        assert transfer.hash is not None
        transfer.hash.advance(transfer.parts.path, transfer.parts.parts)
        transfer.leave_part()
        self._verify_if_complete(transfer)

    def _receive(self, transfer: Transfer, part: Part) -> None:
        """Fetch what is missing of a part, over as many connections and from as many places as it takes."""

        def stream(source: Source, patience: Patience) -> None:
            assert transfer.parts is not None
            first = part.start + part.done
            with source.open(first, part.end - 1) as (pieces, at):
                if at != first and part.start:
                    raise Transient("the server sends the whole file where a part was asked for")
                if at != first:
                    transfer.parts.restart(part)
                for data in pieces:
                    patience.progressed()
                    transfer.parts.write(part, data)
                    if self.stopped.is_set():
                        return
            if not part.complete:
                raise Transient(f"the connection ended {part.end - part.start - part.done} bytes early")

        def receive(source: Source) -> None:
            patience = self._patience()
            patience.attempts(lambda: stream(source, patience), transfer.name)

        if not part.complete:
            self._tried(transfer, receive)

    def _tried(self, transfer: Transfer, action: Callable[[Source], T]) -> T:
        """What `action` gives for the first place that does not fail."""
        while True:
            source = transfer.source
            try:
                return action(source)
            except (UserError, Refused, WrongFile) as error:
                transfer.failure = transfer.failure or (_wrong(transfer, f"{error}.") if isinstance(error, WrongFile) else error)
                if self.stopped.is_set() or not transfer.leave(source):
                    raise transfer.failure from None  # what the best place said
                self._say(f"{source.place} does not give {transfer.name}; going on from {transfer.source.place}.")

    def _verify_if_complete(self, transfer: Transfer) -> None:
        if self.stopped.is_set() or not transfer.claim_verification():
            return
        parts, hashed = transfer.parts, transfer.hash
        assert parts is not None
        assert hashed is not None
        hashed.advance(parts.path, parts.parts, wait=True)
        if not hashed.matches():
            hashed = self._fixed(transfer, parts)
        transfer.blob = blobs.publish(transfer.file, hashed.sha256(), parts.finish)
        transfer.finished = True

    def _fixed(self, transfer: Transfer, parts: PartFile) -> RunningHash:
        """The hash of the file, once it is right. One hash for a whole file does not tell which part is damaged: part after part is
        fetched again until it is found; one whose bytes are the same again was not it."""
        self._say(f"{transfer.name} was damaged on the way; its parts are fetched again until the hash is right.")
        while True:
            source = transfer.source
            for part in parts.parts:
                before = part.crc
                parts.restart(part)
                self._receive(transfer, part)
                if part.crc != before:
                    hashed = _hash_of(transfer)
                    hashed.advance(parts.path, parts.parts)
                    if hashed.matches():
                        return hashed
            if self.stopped.is_set() or not transfer.leave(source):
                parts.records.unlink(missing_ok=True)  # nothing of it can be trusted; the next attempt starts anew
                raise _wrong(transfer, "All its parts were fetched twice, and its hash is still not the one that the hub lists.")
            self._say(f"{source.place} sends another {transfer.name} than the hub lists; going on from {transfer.source.place}.")

    def _say(self, text: str) -> None:
        self._warnings.put(text)

    def _arrived_meanwhile(self, transfer: Transfer) -> bool:
        """Whether another process brought the file while this one waited for its lock."""
        transfer.blob = blobs.blob(transfer.file)
        transfer.finished = transfer.blob is not None
        return transfer.finished

    def _require_space(self, transfers: Sequence[Transfer]) -> None:
        needed = 0
        for transfer in transfers:
            partial = self._partial / transfer.file.key
            blocks = getattr(partial.stat(), "st_blocks", 0) if partial.exists() else 0  # the file has holes: its size says nothing
            needed += max(0, transfer.file.size - 512 * blocks)
        free = shutil.disk_usage(self._partial).free
        if needed > free:
            raise TunesmithError(
                "TS-MODEL-009", f"{needed / 1e9:.1f} GB are needed in {self._partial.parent} and {free / 1e9:.1f} GB are free.",
                fix="Free some space, or set TUNESMITH_CACHE to a directory on a larger disk.", user=True,
            )  # fmt: skip

    def _report(self, transfers: Sequence[Transfer]) -> None:
        while not self._warnings.empty():
            self._step.log(self._warnings.get(), "warning")
        for transfer in transfers:
            received = transfer.received
            if received != transfer.reported:
                transfer.reported = received
                self._step.progress(received, transfer.file.size, what=transfer.name, unit="B")
        total = sum(transfer.file.size for transfer in transfers)
        self._step.progress(sum(transfer.received for transfer in transfers), total, what="download", unit="B")


def _hash_of(transfer: Transfer) -> RunningHash:
    return RunningHash(transfer.file, "" if transfer.file.digest else blobs.name_of(transfer.file))


def _wrong(transfer: Transfer, why: str) -> TunesmithError:
    return TunesmithError(
        "TS-MODEL-007", f"The hub sends another `{transfer.name}` than it promises.", why=why,
        fix="Run the command again later; if that fails too, try without the proxy or mirror.",
    )  # fmt: skip


def _disk_full(error: BaseException, folder: Path) -> TunesmithError | None:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        fix = "Free some space, or set TUNESMITH_CACHE to a directory on a larger disk; what was received is kept."
        return TunesmithError("TS-MODEL-009", f"The disk of {folder} is full.", why=str(error), fix=fix)
    return None
