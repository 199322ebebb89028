"""SHA-256 of a model's files, with progress."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from tunesmith.contracts.digests import FileDigests, file_sha256
from tunesmith.contracts.step import Step
from tunesmith_file.cache_folder import cache_root


def sha256_of(path: Path, step: Step, what: str) -> str:
    """Hex digest of the file, from the cache if it was hashed before and looks untouched since."""
    digests = FileDigests(cache_root() / "digests", refresh=step.refresh, tick=_ticking(path, step, what))
    return digests(path).removeprefix("sha256:")


def forget(path: Path) -> None:
    """Hash it anew next time: it is not what it was remembered as."""
    FileDigests(cache_root() / "digests").forget(path)


def hash_file(path: Path, step: Step, what: str) -> str:
    """Hex digest of the file as it is now; progress goes to the task `what`."""
    return file_sha256(path, _ticking(path, step, what))


def _ticking(path: Path, step: Step, what: str) -> Callable[[int], None]:
    done, size = 0, path.stat().st_size

    def tick(count: int) -> None:
        nonlocal done
        done += count
        step.check_cancelled()
        step.progress(done, size, what=what, unit="B")

    return tick


def revision_of(files: Mapping[str, str]) -> str:
    """One digest for several files (name -> hex digest)."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()
