"""A worker may say as much as it likes: what the run keeps of it in memory and on disk has bounds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from tiny_plans import Place, step

from tunesmith.running.worker.logs import LIMIT

GIGABYTE = 1024  # in megabytes


class Peak:
    disk = memory = 0


@contextmanager
def watched(folder: Path) -> Iterator[Peak]:
    """The most that this process and the folder have grown by, in bytes."""
    peak, over, process = Peak(), threading.Event(), psutil.Process()
    before = process.memory_info().rss

    def watch() -> None:
        while not over.wait(0.02):
            peak.memory = max(peak.memory, process.memory_info().rss - before)
            peak.disk = max(peak.disk, size(folder))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


@pytest.mark.slow
def test_gigabytes_on_stdout_and_stderr_end_in_files_of_bounded_size(place: Place) -> None:
    with watched(place.home) as peak:
        outcome = place.run(step("a", "flood", to=2 * GIGABYTE))
    assert outcome.state == "done"
    for stream in ("stdout", "stderr"):
        log = next((outcome.directory / "logs").glob(f"*/{stream}.log"))
        assert log.stat().st_size <= LIMIT + 100
        assert b"cut here" in log.read_bytes()
    assert peak.memory < 64 * 2**20
    assert peak.disk < GIGABYTE * 2**20, "of 4 GB"


@pytest.mark.slow
def test_reports_without_end_are_not_kept_without_end(place: Place) -> None:
    with watched(place.home) as peak:
        outcome = place.run(step("a", "flood", to=1000, fail="report"))
    assert outcome.state == "done"
    assert peak.memory < 256 * 2**20
    assert peak.disk < 128 * 2**20, "of 400 MB"
