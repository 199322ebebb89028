"""What can be deleted: half-built and damaged environments, those that no lock leads to any more, and those unused for long."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tunesmith.isolation.locks import FileLock
from tunesmith_environments import environment, snapshot
from tunesmith_environments.build import remove
from tunesmith_environments.code_links import FOLDER as LINKS
from tunesmith_environments.disk_usage import measure
from tunesmith_environments.installers.recipe_files import SCRATCH
from tunesmith_environments.lock import read_lock
from tunesmith_environments.manager import LOCKS, key_of

_DAY = 86400.0


class Found(NamedTuple):
    """An environment that can go. `frees`: bytes that its deletion gives back; `kept`: why it was left after all."""

    path: Path
    reason: str
    frees: int
    kept: str = ""


def collect(directory: Path, unused_days: float, *, everything: bool = False, dry_run: bool = False) -> list[Found]:
    """Delete what can go, and tell it.

    Args:
        unused_days: one that was not used for so long goes.
        everything: all go.
        dry_run: delete nothing.
    """
    found = []
    for path, reason in _candidates(directory, unused_days, everything):
        size, shared = measure(path)
        kept = "a process runs in it" if in_use(path) else ""
        if not kept and not dry_run:
            kept = _delete(path)
        found.append(Found(path, reason, size - shared, kept))
    if not dry_run:
        _sweep_links(directory)
        _sweep_scratch(directory / environment.TOOLS)
    return found


def _candidates(directory: Path, unused_days: float, everything: bool) -> Iterator[tuple[Path, str]]:
    locks = list(filter(None, map(read_lock, (directory / LOCKS).glob("*.json"))))
    for path in environment.folders(directory):
        built = environment.read(path)
        if built is None:
            yield path, "it is not complete"
        elif everything:
            yield path, "all are to go"
        elif time.time() - built.last_used > unused_days * _DAY:
            yield path, f"it was not used for {(time.time() - built.last_used) / _DAY:.0f} days"
        elif path.name not in {key_of(lock, built.accelerator) for lock in locks}:
            yield path, "no lock leads to it any more"
        elif not snapshot.unchanged(path) and (wrong := snapshot.damage(path, built.site, dict(built.packages))):
            yield path, f"it is damaged: {wrong[0]}"


def _delete(path: Path) -> str:
    """Delete an environment; why not, if it is just being built."""
    lock = FileLock(path.with_suffix(".lock"))
    if not lock.try_acquire():
        return "it is being built"
    try:
        remove(path)
    finally:
        lock.release()
    return ""


def in_use(path: Path) -> bool:
    """Whether a process of this machine was started from the environment, or has a library of it loaded. Only Linux can be asked."""
    start = f"{path}/".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(word.startswith(start) for word in (process / "cmdline").read_bytes().split(b"\0")):
                return True
            if start in (process / "maps").read_bytes():  # some engines overwrite how they were started
                return True
        except OSError:  # it has ended, or is somebody else's
            continue
    return False


def _sweep_links(directory: Path) -> None:
    """Folders of links to code that is not there any more, and those that were never finished."""
    for folder in (directory / LINKS).glob("*") if (directory / LINKS).is_dir() else ():
        if folder.name.startswith(".new-") or any(not entry.exists() for entry in folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)


def _sweep_scratch(tools: Path) -> None:
    """Files that installers were given by a host that was killed."""
    for folder in tools.glob(f"{SCRATCH}*") if tools.is_dir() else ():
        if time.time() - folder.stat().st_mtime > _DAY:
            shutil.rmtree(folder, ignore_errors=True)
