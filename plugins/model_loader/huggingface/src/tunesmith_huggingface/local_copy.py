"""Files that are here already: found, verified, and put into a step's output."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError
from tunesmith_huggingface import cache
from tunesmith_huggingface.digests import matches
from tunesmith_huggingface.repository_files import HubFile


def local_copy(repo: str, file: HubFile, step: Step) -> Path | None:
    """A verified copy on this machine: ours, else one of the hub's own library; None if there is none. A damaged one of ours is removed."""
    ours = cache.blob(file)
    if ours.exists():
        if _verified(ours, file, step):
            return ours
        ours.unlink()
    foreign = cache.foreign_blob(repo, file)
    return foreign if foreign and _verified(foreign, file, step) else None


def place(source: Path, target: Path, file: HubFile, step: Step) -> None:
    """Put a verified file at `target`: ours by a hard link where the file system can, else as a copy, which is verified again.

    Raises:
        TunesmithError: TS-MODEL-007 when it was changed while it was copied.
    """
    step.check_cancelled()
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_relative_to(cache.root()):
        try:
            os.link(source, target)
            return
        except OSError:  # another file system, or one without links
            pass
    shutil.copyfile(source, target)
    if not _verified(target, file, step):
        raise TunesmithError("TS-MODEL-007", f"{source} was changed while it was copied.", fix="Run the command again.")


def _verified(path: Path, file: HubFile, step: Step) -> bool:
    done = 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        step.check_cancelled()
        step.progress(done, file.size, what="verify", unit="B")

    return matches(path, file, tick)
