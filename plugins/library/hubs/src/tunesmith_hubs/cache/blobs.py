"""One store of files for all hubs, below ``$TUNESMITH_CACHE/hubs``: ``blobs/<SHA-256>``, whole and verified; ``partial/``, arriving;
``names/``, which SHA-256 a file had that its hub calls by another hash or by none. All of it can be deleted at any time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError
from tunesmith_file.api import cache_root, read_cached_json, write_json
from tunesmith_hubs.cache.digests import matches
from tunesmith_hubs.listing import HubFile


def root() -> Path:
    return cache_root() / "hubs"


def partial() -> Path:
    """The folder of what is arriving, made."""
    folder = root() / "partial"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def blob(file: HubFile) -> Path | None:
    """Where our copy of a file lies; None if it never came. It is not verified."""
    sha256 = file.sha256 or name_of(file)
    path = root() / "blobs" / sha256
    return path if sha256 and path.exists() else None


def name_of(file: HubFile) -> str:
    """The SHA-256 that the file had when it first came; empty if it never did."""
    return str(read_cached_json(_name(file)).get("sha256") or "")


def publish(file: HubFile, sha256: str, move: Callable[[Path], None]) -> Path:
    """Give a verified file its name in the store; `move` puts it there in one go."""
    target = root() / "blobs" / sha256
    target.parent.mkdir(parents=True, exist_ok=True)
    move(target)
    if file.sha256 != sha256:
        write_json(_name(file), {"sha256": sha256})
    return target


def _name(file: HubFile) -> Path:
    return root() / "names" / f"{file.key}.json"


def verified(file: HubFile, elsewhere: Iterable[Path], step: Step) -> Path | None:
    """A verified copy on this machine: ours, else one of `elsewhere`; None if there is none. A damaged one of ours is removed."""
    ours = blob(file)
    if ours is not None:
        if _verified(ours, _with_digest(file), step):
            return ours
        ours.unlink(missing_ok=True)
    return next((path for path in elsewhere if file.digest and path.is_file() and _verified(path, file, step)), None)


def place(source: Path, target: Path, file: HubFile, step: Step) -> None:
    """Put a verified file at `target`: ours by a hard link where the file system can, else as a copy, which is verified again.

    Raises:
        TunesmithError: TS-MODEL-007 when it was changed while it was copied.
    """
    step.check_cancelled()
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_relative_to(root()):
        try:
            os.link(source, target)
            return
        except OSError:  # another file system, or one without links
            pass
    shutil.copyfile(source, target)
    if not _verified(target, _with_digest(file), step):
        raise TunesmithError("TS-MODEL-007", f"{source} was changed while it was copied.", fix="Run the command again.")


def _with_digest(file: HubFile) -> HubFile:
    return file if file.digest else replace(file, digest=name_of(file))


def _verified(path: Path, file: HubFile, step: Step) -> bool:
    done = 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        step.check_cancelled()
        step.progress(done, file.size, what="verify", unit="B")

    return matches(path, file, tick)
