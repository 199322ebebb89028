"""Fetches files in parallel parts, and answers for what it leaves: whole and of the right hash, or taken up again next time."""

from __future__ import annotations

import errno
import http.client
import queue
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError
from tunesmith_file.api import file_lock
from tunesmith_huggingface.digests import matches
from tunesmith_huggingface.download_source import Source
from tunesmith_huggingface.http import Client, Patience, Transient
from tunesmith_huggingface.partial_file import Part, PartFile
from tunesmith_huggingface.repository_files import HubFile

_TICK = 0.1  # seconds between two looks at how far the threads are
_GRACE = 2.0  # seconds for the threads to see that they should stop


@dataclass
class Transfer:
    """One file on its way.

    Args:
        name: for progress and messages.
        url: where the hub has it.
        target: where it will be once it is whole and verified.
    """

    name: str
    url: str
    file: HubFile
    target: Path
    parts: PartFile | None = None
    source: Source | None = None
    finished: bool = False
    reported: int = 0
    _claim: threading.Lock = field(default_factory=threading.Lock)

    @property
    def received(self) -> int:
        return self.file.size if self.finished else self.parts.done if self.parts else 0

    def claim_verification(self) -> bool:
        """True for just one of the threads that find the file complete."""
        assert self.parts is not None
        return all(part.complete for part in self.parts.parts) and self._claim.acquire(blocking=False)


class Download:
    """A set of transfers over a bounded number of connections.

    Args:
        patience: makes a fresh `Patience`; its sleep must end when `stopped` is set.
    """

    def __init__(self, client: Client, *, connections: int, part_size: int, partial: Path, step: Step) -> None:
        self._client, self._connections, self._part_size, self._partial, self._step = client, connections, part_size, partial, step
        self._work: queue.Queue[Callable[[], None]] = queue.Queue()
        self._warnings: queue.Queue[str] = queue.Queue()
        self._error: BaseException | None = None
        self.stopped = threading.Event()

    def run(self, transfers: Sequence[Transfer], patience: Callable[[], Patience]) -> None:
        """Fetch all of them.

        Raises:
            UserError: TS-MODEL-002 when the server can't be reached any more. What was received is kept.
            TunesmithError: TS-MODEL-007 when it keeps sending other bytes than it promises, TS-MODEL-009 when the disk is full.
            Refused: when the server refuses a file.
        """
        self._patience = patience
        with ExitStack() as held:
            for transfer in sorted(transfers, key=lambda t: t.file.digest):  # one order for all processes, so no deadlock
                held.enter_context(file_lock(self._partial / (transfer.file.digest + ".lock"), self._step))
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
        transfer.parts = PartFile(self._partial / transfer.file.digest, transfer.file.size, self._part_size)
        transfer.source = Source(self._client, transfer.url)
        missing = [part for part in transfer.parts.parts if not part.complete]
        if len(missing) > 1 and not self._patiently(transfer, transfer.source.has_ranges):
            # A server without ranges: in one piece, from the start after each failure.
            transfer.parts.records.unlink()
            transfer.parts.close()
            transfer.parts = PartFile(transfer.parts.path, transfer.file.size, max(transfer.file.size, 1))
            missing = transfer.parts.parts
        for part in missing:
            self._work.put(lambda part=part: self._part(transfer, part))
        if not missing:
            self._verify_if_complete(transfer)

    def _part(self, transfer: Transfer, part: Part) -> None:
        self._receive(transfer, part)
        self._verify_if_complete(transfer)

    def _receive(self, transfer: Transfer, part: Part) -> None:
        """Fetch what is missing of a part, over as many connections as it takes."""
        patience = self._patience()

        def stream() -> None:
            assert transfer.parts is not None
            assert transfer.source is not None
            with transfer.source.open(part) as (response, restarted):
                if restarted:
                    transfer.parts.restart(part)
                for data in response:
                    patience.progressed()
                    transfer.parts.write(part, data)
                    if self.stopped.is_set():
                        return
            if not part.complete:
                raise Transient(f"the connection ended {part.end - part.start - part.done} bytes early")

        self._patiently(transfer, stream, patience)

    def _patiently(self, transfer: Transfer, action: Callable[[], object], patience: Patience | None = None) -> object:
        patience = patience or self._patience()
        while True:
            try:
                return action()
            except Transient as error:
                patience.failed(error, transfer.name)
            except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
                patience.failed(Transient(str(error) or type(error).__name__), transfer.name)

    def _verify_if_complete(self, transfer: Transfer) -> None:
        if self.stopped.is_set() or not transfer.claim_verification():
            return
        parts = transfer.parts
        assert parts is not None
        if not matches(parts.path, transfer.file) and not self._fixed(transfer, parts):
            raise TunesmithError(
                "TS-MODEL-007", f"The hub sends another `{transfer.name}` than it promises.",
                why="All its parts were fetched twice, and its hash is still not the one that the hub lists.",
                fix="Run the command again later; if that fails too, try without the proxy or mirror.",
            )  # fmt: skip
        transfer.target.parent.mkdir(parents=True, exist_ok=True)
        parts.finish(transfer.target)
        transfer.finished = True

    def _fixed(self, transfer: Transfer, parts: PartFile) -> bool:
        """Fetch part after part again until the file's hash is right; a part whose bytes are the same again was not the damaged one."""
        self._warnings.put(f"{transfer.name} was damaged on the way; its parts are fetched again until the hash is right.")
        for part in parts.parts:
            before = part.crc
            parts.restart(part)
            self._receive(transfer, part)
            if part.crc != before and matches(parts.path, transfer.file):
                return True
        # Nothing of it can be trusted; the next attempt starts anew.
        parts.records.unlink(missing_ok=True)
        return False

    def _arrived_meanwhile(self, transfer: Transfer) -> bool:
        """Whether another process brought the file while this one waited for its lock."""
        transfer.finished = transfer.target.exists()
        return transfer.finished

    def _require_space(self, transfers: Sequence[Transfer]) -> None:
        needed = 0
        for transfer in transfers:
            partial = self._partial / transfer.file.digest
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


def _disk_full(error: BaseException, folder: Path) -> TunesmithError | None:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        fix = "Free some space, or set TUNESMITH_CACHE to a directory on a larger disk; what was received is kept."
        return TunesmithError("TS-MODEL-009", f"The disk of {folder} is full.", why=str(error), fix=fix)
    return None
