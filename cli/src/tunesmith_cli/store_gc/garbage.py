"""What nothing holds any more, found by following what does: live runs, runs that count, pins, and artifacts that refer to others."""

from __future__ import annotations

import heapq
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.errors import TunesmithError
from tunesmith.isolation.locks import FileLock
from tunesmith.running.journal.journal import Journal
from tunesmith.running.journal.run_directories import stored_plan
from tunesmith.running.steps.cached_results import hits
from tunesmith.running.store.store import Store
from tunesmith_cli.store_gc.pins import pins

TRASH = "trash"  # where artifacts lie between being taken out and being deleted
LIVE = ("running", "serving")


@dataclass
class Garbage:
    """
    Args:
        artifacts: digest -> bytes of those that can go, referrers before what they refer to.
        work: folder -> bytes of begun work that no run will go on with.
        held: digest -> bytes of what stays.
    """

    artifacts: dict[str, int] = field(default_factory=dict)
    work: dict[Path, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        return sum(self.artifacts.values()) + sum(self.work.values())


class Collector:
    """Of one home, whose dead runs are marked as interrupted.

    Args:
        since: runs that began before (seconds since the epoch) hold nothing, if they are over.
        most: bytes that the store may have; of what only runs hold, what was used longest ago goes first. None: any.
    """

    def __init__(self, home: Path, journal: Journal, since: float = 0.0, most: float | None = None) -> None:
        self._home, self._journal, self._store = home, journal, Store(home)
        self._since, self._most = since, most
        self._refs: dict[str, list[str]] = {}

    def find(self) -> Garbage:
        """What can go now."""
        digests, kept = list(self._store.digests()), self._closure(self._needed())
        used = self._used()
        held = kept | self._closure(used)
        found = Garbage({}, dict(self._idle_work()), {digest: self._store.size(digest) for digest in digests if digest in held})
        dead = [digest for digest in digests if digest not in held]
        if self._most is not None:
            dead += self._longest_unused(found.held, kept, used)
        referred = {ref for digest in dead for ref in self._refers(digest)}
        for digest in sorted(dead, key=lambda one: one in referred):
            found.artifacts[digest] = found.held.pop(digest, None) or self._size(digest)
        return found

    def collect(self, garbage: Garbage) -> Garbage:
        """Delete what was found, but for what a run has come to need since; what was deleted.

        Everything is moved out of the store first and looked at again, so a run that began meanwhile either saw it gone, and makes it
        again, or has it back.
        """
        trash = self._home / TRASH
        trash.mkdir(exist_ok=True)
        moved = {digest: trash / digest.removeprefix("sha256:") for digest in garbage.artifacts}
        needed = self._closure(self._needed())
        for digest, place in moved.items():
            if digest not in needed and self._store.path(digest).exists():
                os.rename(self._store.path(digest), place)
        back = self._needed() & set(moved)
        for digest in back:
            if moved[digest].exists():
                os.rename(moved[digest], self._store.path(digest))
        gone = {digest: size for digest, size in garbage.artifacts.items() if moved[digest].exists()}
        self._journal.forget(gone)
        shutil.rmtree(trash, ignore_errors=True)
        return Garbage(gone, {folder: size for folder, size in garbage.work.items() if _deleted(folder)}, garbage.held)

    # --- what holds ----------------------------------------------------------------------------------------------------------------

    def _needed(self) -> set[str]:
        """What is pinned, and what live runs use or would find done."""
        found = set(pins(self._home))
        for row in self._journal.runs():
            if row.state in LIVE:
                found |= {step.artifact for step in self._journal.steps(row.id) if step.artifact}
                try:
                    answers = hits(stored_plan(self._home, row.id), self._home)
                except TunesmithError:  # its plan is not written yet: it has used nothing
                    continue
                found |= {hit.artifact.digest for hit in answers.values() if hit}
        return found

    def _used(self) -> dict[str, float]:
        """When each artifact was last used by a run that counts."""
        found: dict[str, float] = {}
        for row in self._journal.runs():
            if row.started >= self._since or row.state in LIVE:
                for step in self._journal.steps(row.id):
                    if step.artifact:
                        found[step.artifact] = max(found.get(step.artifact, 0.0), row.started)
        return found

    def _longest_unused(self, held: dict[str, int], kept: set[str], used: dict[str, float]) -> Iterator[str]:
        """What goes for want of room: never what something that stays refers to."""
        total = float(sum(held.values()))
        last = dict(used)
        for digest, time in used.items():
            for ref in self._closure([digest]):
                last[ref] = max(last.get(ref, 0.0), time)
        holders = {digest: 0 for digest in held}
        for digest in held:
            for ref in self._refers(digest):
                holders[ref] = holders.get(ref, 0) + 1
        free = [(last.get(digest, 0.0), digest) for digest in held if digest not in kept and not holders[digest]]
        heapq.heapify(free)
        while free and self._most is not None and total > self._most:
            _, digest = heapq.heappop(free)
            total -= held[digest]
            yield digest
            for ref in self._refers(digest):
                holders[ref] -= 1
                if not holders[ref] and ref in held and ref not in kept:
                    heapq.heappush(free, (last.get(ref, 0.0), ref))

    def _closure(self, digests: Iterable[str]) -> set[str]:
        """These, and all that they refer to."""
        found, waiting = set(), list(digests)
        while waiting:
            digest = waiting.pop()
            if digest not in found:
                found.add(digest)
                waiting += self._refers(digest)
        return found

    def _refers(self, digest: str) -> list[str]:
        if digest not in self._refs:
            record = self._store.record(digest)
            self._refs[digest] = list(record["refs"].values()) if record else []
        return self._refs[digest]

    def _size(self, digest: str) -> int:
        return self._store.size(digest) or size_below(self._store.path(digest))

    def _idle_work(self) -> Iterator[tuple[Path, int]]:
        """Begun work of no run that could go on with it, and that nobody works on."""
        counts = [row for row in self._journal.runs() if row.started >= self._since or row.state in LIVE]
        wanted = {step.key for row in counts if row.state != "done" for step in self._journal.steps(row.id)}
        for folder in sorted((self._home / "work").glob("*/")):
            lock = FileLock(folder.with_suffix(".lock"))
            if folder.name not in wanted and lock.try_acquire():
                lock.release()
                yield folder, size_below(folder)


def size_below(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def _deleted(folder: Path) -> bool:
    lock = FileLock(folder.with_suffix(".lock"))
    if not lock.try_acquire():
        return False
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    return not folder.exists()
