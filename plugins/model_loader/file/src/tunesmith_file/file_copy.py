"""Copies files into a step's output, verified.

The user's own files are copied, not linked: the store makes its files read-only; with a hard link the user's file would become so too, and
an edit of it would change the store. Where the file system can share blocks between files (XFS, Btrfs), the copy costs no space. Files of
our caches, which nobody edits, are linked.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tunesmith.contracts.kinds.model_loader import ModelInfo
from tunesmith.contracts.step import Step
from tunesmith.contracts.untrusted_files import NotRegular, Outside, confined, open_confined, open_regular
from tunesmith.errors import TunesmithError, UserError
from tunesmith_file.digests import forget, hash_file

_CHUNK = 64 << 20
_UNSUPPORTED = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF}


def check_files(root: Path, names: Iterable[str], within: Sequence[Path]) -> None:
    """Whether a model's files are regular ones that lead to the folders `within`.

    Raises:
        UserError: TS-MODEL-013 for one that is not.
    """
    for name in names:
        try:
            open_confined(root / name, within).close()
        except OSError as error:
            raise _unusable(root / name, error) from None


def _unusable(path: Path, error: OSError) -> UserError:
    if isinstance(error, Outside):
        fix = f'If that is meant, write in tunesmith.toml: [files] roots = ["{error.real.parent}"]. Else remove the link.'
        return UserError("TS-MODEL-013", f"{path} leads to {error.real}, outside of the model.", fix=fix)
    return UserError("TS-MODEL-013", f"{path} can't be read: {error.strerror or error}.", fix="Put the file itself there.")


def copy_files(
    info: ModelInfo, source: Path, output: Path, step: Step, *, link: bool = False, within: Sequence[Path] = ()
) -> None:  # fmt: skip
    """Copy `info.files` from `source` to `output` and check each one's SHA-256.

    Args:
        link: hard links instead of copies, where the file system can.
        within: folders that the files may lead to; empty: they are ours.

    Raises:
        UserError: TS-MODEL-013 for a file that leads elsewhere.
        TunesmithError: TS-MODEL-007 if a file is gone or is not what it was when it was resolved.
    """
    total, before = info.size, 0
    for name, entry in sorted(info.files.items()):
        target = output / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            for done in _place(confined(source / name, within) if within else source / name, target, link):
                step.check_cancelled()
                step.progress(before + done, total, what="copy", unit="B")
        except (Outside, NotRegular) as error:
            raise _unusable(source / name, error) from None
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
    with open_regular(source) as reader, target.open("wb", buffering=0) as writer:
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
