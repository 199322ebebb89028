"""Threads of a download do not get in one another's way."""

import hashlib
import threading
from contextlib import contextmanager

from tunesmith_hubs import HubFile, Patience
from tunesmith_hubs.download.download import Download
from tunesmith_hubs.download.transfer import Transfer

CONTENT = bytes(range(256)) * 8
HALF = len(CONTENT) // 2


class LingeringSource:
    """Two parts. The first time, a byte of the second is damaged, and the thread of the first has all of its bytes and is slow to leave."""

    place = "test"

    def __init__(self) -> None:
        self.opened = {0: 0, HALF: 0}
        self.again = threading.Event()

    def has_ranges(self) -> bool:
        return True

    @contextmanager
    def open(self, first: int, last: int):
        start = 0 if first < HALF else HALF
        self.opened[start] += 1
        yield self._pieces(first, last + 1, self.opened[start]), first

    def _pieces(self, first: int, end: int, time: int):
        data = CONTENT[first:end]
        if first >= HALF and time == 1:
            data = bytes([data[0] ^ 1]) + data[1:]
        if first < HALF and time > 1:
            self.again.set()
            threading.Event().wait(0.2)
        yield data
        if first < HALF and time == 1:
            self.again.wait(0.5)


def test_a_damaged_file_is_not_mended_while_a_thread_is_still_at_one_of_its_parts(local_step, tmp_path, monkeypatch):
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    file, source = HubFile(len(CONTENT), hashlib.sha256(CONTENT).hexdigest()), LingeringSource()
    transfer = Transfer("weights", file, [source])
    download = Download(connections=2, part_size=HALF, step=local_step())
    download.run([transfer], lambda: Patience(2, 0.01, download.stopped.wait))
    assert transfer.blob.read_bytes() == CONTENT
    assert source.opened[0] == 2  # once, and once more to find the damaged part
