"""Copies files into a step's output, verified.

The user's own files are copied, not linked: the store makes its files read-only; with a hard link the user's file would become so too, and
an edit of it would change the store. Where the file system can share blocks between files (XFS, Btrfs), the copy costs no space. Files of
our caches, which nobody edits, are linked.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from tunesmith.contracts.model_loader import ModelInfo
from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError, UserError
from tunesmith_file.digests import forget, hash_file

_CHUNK = 64 << 20
_UNSUPPORTED = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF}


def copy_files(info: ModelInfo, source: Path, output: Path, step: Step, *, link: bool = False) -> None:
    """Copy `info.files` from `source` to `output` and check each one's SHA-256.

    Args:
        link: hard links instead of copies, where the file system can.

    Raises:
        TunesmithError: TS-MODEL-007 if a file is gone or is not what it was when it was resolved.
    """
    total, before = info.size, 0
    for name, entry in sorted(info.files.items()):
        target = output / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            for done in _place(source / name, target, link):
                step.check_cancelled()
                step.progress(before + done, total, what="copy", unit="B")
        except FileNotFoundError:
            raise UserError(
                "TS-MODEL-007", f"{source / name} is gone since it was planned with.",
                fix="Put it back, or run the pipeline again with `tunesmith run`, which plans with what is there.",
            ) from None  # fmt: skip
        before += int(entry["size"])
        if entry.get("sha256") and hash_file(target, step, "verify") != entry["sha256"]:
            forget(source / name)
            raise TunesmithError(
                "TS-MODEL-007", f"{source / name} is not the file that was planned with.",
                why="Its SHA-256 has changed since the plan was made.",
                fix="Run the pipeline again with `tunesmith run`, which plans with the file as it is now.",
            )  # fmt: skip


def _place(source: Path, target: Path, link: bool) -> Iterator[int]:
    target.unlink(missing_ok=True)  # it may be a link of an earlier attempt, and writing to it would change what it links to
    if link:
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise
        except OSError:  # another file system, or one without links
            pass
        else:
            yield target.stat().st_size
            return
    yield from _copy(source, target)


def _copy(source: Path, target: Path) -> Iterator[int]:
    """Copy, yielding the bytes done so far."""
    with source.open("rb", buffering=0) as reader, target.open("wb", buffering=0) as writer:
        done = 0
        try:
            while count := os.copy_file_range(reader.fileno(), writer.fileno(), _CHUNK):
                done += count
                yield done
        except (AttributeError, OSError) as error:
            if isinstance(error, OSError) and (error.errno not in _UNSUPPORTED or done):
                raise
        # Some file systems (procfs, some FUSE ones) answer 0 for a file that has bytes; so read on in any case.
        while chunk := reader.read(_CHUNK):
            left = memoryview(chunk)
            while left:  # on a disk that is filling up the first write is short, the next one says why
                left = left[writer.write(left) :]
            done += len(chunk)
            yield done
